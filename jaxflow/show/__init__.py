"""What people look at: terminal tables, progress, figures."""
