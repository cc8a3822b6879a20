"""The files that browsers load: named by their content, compressed once, when they are collected."""

from pathlib import Path

from whitenoise.compress import Compressor
from whitenoise.storage import CompressedManifestStaticFilesStorage


class ReadersFirst(Compressor):
    """Brotli is a tenth smaller than gzip and takes ten times as long to make: for what readers load, and not for the
    admin's two hundred files."""

    def compress(self, path: str) -> list[str]:
        if "admin" in Path(path).parts:
            return Compressor(use_brotli=False, quiet=True).compress(path)
        return super().compress(path)


class SiteFilesStorage(CompressedManifestStaticFilesStorage):
    def create_compressor(self, **options) -> Compressor:
        return ReadersFirst(**options)
