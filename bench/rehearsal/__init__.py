"""How fast a rehearsal goes: five years of a thousand commitments, by today's rules and by others.

`./pledgewire bench rehearsal` alternates two things over the same reminders:

- bare: merely computing the instant of every reminder that is told, from its day, its time of day and its zone;
- whole: planning all agendas anew by the other rules, playing both plans, and comparing them.
"""
