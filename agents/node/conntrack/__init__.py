"""Connections of a node as conntrack knows them.

Needs, in the network namespace that is read: nf_conntrack_events=1 (with the default, 2, an entry made while nobody
listened never announces its end), nf_conntrack_acct=1 (else entries carry no counters and rows carry zeros) and
nf_conntrack_timestamp=1 (else a connection begins when it is first seen, and one that is followed at once by another
of the same id and tuple is told from it by the NEW event alone). Only entries made afterwards carry counters and times.
"""
