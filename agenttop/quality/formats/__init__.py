"""The formats of case files, one file each."""
