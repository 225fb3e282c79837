"""Alerts: what people should know of the records, with its cause. Pure: no Kafka, no clock, no files but its own rules.

signal   records of topics as facts in one form, each with its place and time
state    what is kept of edges and workloads, bounded, a few bytes a key
fact     signals and state as named measures of a subject
rule     rules as data: conditions over measures
cause    what changed before on what a subject depends on
life     findings become alerts: opened, grouped, updated, resolved, silenced
engine   these together
"""
