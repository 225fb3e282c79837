"""Decides which packets the kernel logs as first packets of a connection, and where on their way.

A first packet is logged at -190, when conntrack has its tuple and destination NAT (-100) has not yet changed it:
that is what was dialled. If it was translated it is logged once more at -90: that is the real destination. So
both are known on kernels that do not attach conntrack's tuples to log messages.
No rule accepts, drops or alters: ``return`` only leaves our own chains.

``! confirmed`` is what makes it exact: packets of a one-way UDP stream stay "new" for ever, yet their entry
exists. Multicast and broadcast are left out, since a packet that nobody here has joined ends without an entry too.
Of the unreachable codes only those that packet filters send are logged (RFC 792, 1812, 4443), not those of routing.
"""

TABLE = "conntrail"
CUT_COUNTER = "cut"
DIALLED_PREFIX = "d"
TRANSLATED_PREFIX = "t"
REJECTED_PREFIX = "r"
HEAD_BYTES = 80
"""IPv4 header with all options, or IPv6 with some extension headers, and the ports."""
REJECTED_HEAD_BYTES = 144
"""An ICMP error holds the head of the packet that it answers: two IP headers and an ICMP header."""

_RULESET = """\
add table inet {table}
delete table inet {table}
table inet {table} {{
  counter {cut} {{ }}
  chain note_dialled {{
    limit rate over {rate}/second burst {rate} packets counter name {cut} return
    log prefix "{dialled}" group {group} snaplen {head}
  }}
  chain note_translated {{
    limit rate over {rate}/second burst {rate} packets return
    log prefix "{translated}" group {group} snaplen {head}
  }}
  chain note_rejected {{
    limit rate over {rate}/second burst {rate} packets return
    log prefix "{rejected}" group {group} snaplen {rejected_head}
  }}
  chain dialled_arriving {{
    type filter hook prerouting priority -190; policy accept;
    ct state new ct status ! confirmed meta pkttype host jump note_dialled
  }}
  chain dialled_here {{
    type filter hook output priority -190; policy accept;
    ct state new ct status ! confirmed jump note_dialled
    meta l4proto tcp ct state related ct status ! confirmed tcp flags & rst == rst jump note_rejected
    meta l4proto icmp icmp type destination-unreachable icmp code {{ 3, 9, 10, 13 }} jump note_rejected
    meta l4proto icmpv6 icmpv6 type destination-unreachable icmpv6 code {{ 1, 4, 5, 6 }} jump note_rejected
  }}
  chain translated_arriving {{
    type filter hook prerouting priority -90; policy accept;
    ct state new ct status & (confirmed | dnat) == dnat meta pkttype host jump note_translated
  }}
  chain translated_here {{
    type filter hook output priority -90; policy accept;
    ct state new ct status & (confirmed | dnat) == dnat jump note_translated
  }}
}}
"""


def render_ruleset(group: int, per_second: int) -> str:
    """The nftables script that replaces our table in one transaction, whether it was there or not."""
    return _RULESET.format(
        table=TABLE,
        cut=CUT_COUNTER,
        rate=per_second,
        group=group,
        dialled=DIALLED_PREFIX,
        translated=TRANSLATED_PREFIX,
        rejected=REJECTED_PREFIX,
        head=HEAD_BYTES,
        rejected_head=REJECTED_HEAD_BYTES,
    )
