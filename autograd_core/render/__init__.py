"""Writing graphs down: as text, and in the languages of drawing programs."""
