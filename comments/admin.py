from django.contrib import admin

from comments.models import BlockedWord


@admin.register(BlockedWord)
class BlockedWordAdmin(admin.ModelAdmin):
    search_fields = ["word"]
