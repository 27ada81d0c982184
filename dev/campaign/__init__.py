"""The mutation campaign: faults put into finished workbooks on purpose, to see whether the check finds them.

A proof is worth what it catches. So every formula of every template is broken in all the ways that formulas
break, one at a time, and the check must find each, by values alone, and name the range that was broken.
"""
