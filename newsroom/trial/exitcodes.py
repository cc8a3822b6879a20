"""What newsroom.trial.prepare tells by its exit code; apart from it, so that the starter needs no Django."""

PASSWORD_VALID, PASSWORD_CHANGED = 10, 11  # the editor's first password still opens the admin, or does not
