"""How people ask for several labels at once: none, one or many of them hold."""

SEVERAL_LABELS = (
    r"multi-?label\w*|not mutually exclusive|(?:independent|one) sigmoids? "
    r"|(?:labels|tags|findings|genres|topics|attributes) (?:per|for each)"
    r"|(?:several|multiple|any number of) (?:labels|tags|findings|genres)"
    r"|(?:several|multiple) (?:topics|categories|classes|emotions) (?:at once|at the same time|simultaneously)"
    r"|(?:more than|not only|not just) one (?:label|tag|finding|genre|topic|category|class|emotion)"
    r"|(?:labels?|tags?|topics?|classes|categories) (?:that |which )?(?:can|may|might) "
    r"(?:co-?occur|overlap|be combined|apply together)"
)
"""A pattern, whatever the case of the letters."""
