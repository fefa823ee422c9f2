"""What people say to one another of the application, of a trame, of an indicateur."""

from workbench.discussion.comments import (
    ROOM,
    Comment,
    add_comment,
    clean_text,
    comments,
    delete_comment,
    edit_comment,
)

__all__ = ["ROOM", "Comment", "add_comment", "clean_text", "comments", "delete_comment", "edit_comment"]
