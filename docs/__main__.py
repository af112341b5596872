"""Write the pages that are generated from the code: `python -m docs`, or `make docs`."""

from docs.generated import ROOT, pages

for name, text in pages().items():
    (ROOT / name).write_text(text)
