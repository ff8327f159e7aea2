"""How often drift alarms are false, and how often they are missed."""
