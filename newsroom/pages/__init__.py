"""Pages: made once for everyone, kept, compressed, filled in for one reader; and what their forms carry."""
