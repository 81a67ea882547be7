"""Write the expected JSON of every mail in this folder anew: `python tests/golden/regenerate.py`.

Read every difference before committing it: these files are the proof that the translations are right.
"""

from golden_cases import cases, made

if __name__ == "__main__":
    for case in cases():
        case.expected.write_text(made(case), "utf-8")
