"""What an answer says, whatever the types of its fields: read once, for rules, behaviour and load. Pure."""
