"""What the portal asks the other services over their HTTP interfaces: a client and the models of answers for each.

The models read only what pages show, and let the answers grow: unknown members are ignored. A service that is away
costs a page the part that it would have given, and no more.
"""
