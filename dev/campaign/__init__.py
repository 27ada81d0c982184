"""The mutation campaign: deliberate faults in finished workbooks, to test whether the check finds them.

Every formula of every template is broken in many ways, one at a time. The check must find each fault that
changes a value, by values alone, and name the range that was broken.
"""
