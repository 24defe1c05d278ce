"""When somebody may be told: rhythm, quiet hours, days off and mutes, as rules that know no clock."""
