"""The accounts of rows: kept, set aside or left out."""
