"""What the processes of a night share: settings, journal, decision, command lines."""
