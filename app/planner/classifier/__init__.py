"""What a field of the plan is, by linear classifiers: each knows little, and reads strangers well."""
