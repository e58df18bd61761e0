"""The prompts of the language programs, one text file each."""
