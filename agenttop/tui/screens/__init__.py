"""What covers the panes: help, questions, the edit table. Each a Textual screen that answers its caller and no more."""
