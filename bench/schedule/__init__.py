"""How reminders come due: `./pledgewire bench schedule [due|claim|planning|apscheduler|horizon|p5]`.

Without a choice all but the last. Everything runs on a PostgreSQL with fsync and full-page writes and an Apache Kafka
of its own; rates are compared with a limit that is measured in the same run, in rounds that alternate.
"""
