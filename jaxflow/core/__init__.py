"""What every floor above shares: errors, random keys, dotted names, tables, records."""
