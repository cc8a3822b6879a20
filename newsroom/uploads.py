"""Files that come with a form: nobody's are kept.

Django stores a file of any size before a view or a token is asked, unless something stands in its way.
"""

from django.core.exceptions import TooManyFilesSent
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.files.uploadhandler import FileUploadHandler


class NoFiles(FileUploadHandler):
    """For every form of ours: a file is a request that no page of ours makes."""

    def new_file(self, *given, **more) -> None:
        super().new_file(*given, **more)
        raise TooManyFilesSent

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        return None

    def file_complete(self, file_size: int) -> None:
        return None


class EmptyFiles(NoFiles):
    """For a mail's attachments, which some providers bring as files: their names are there, their bytes are not."""

    def new_file(self, *given, **more) -> None:
        FileUploadHandler.new_file(self, *given, **more)

    def file_complete(self, file_size: int) -> SimpleUploadedFile:
        return SimpleUploadedFile(self.file_name, b"", self.content_type)
