"""What people see: the workers' portal, the owner's console, and the preview of a page."""
