"""What each panel says: functions from a picture and a size to rows, without a widget in sight."""
