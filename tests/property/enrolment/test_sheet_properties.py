"""Whatever a table holds, reading it ends well, and a sound one is read as it was written."""

import csv
import io

from hypothesis import given
from hypothesis import strategies as st

from edge.enrolment.sheet import COLUMNS, NEEDED, SheetError, rows, text_of

cells = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\u2028\u2029\x85"),
    max_size=20,
)
columns = st.permutations(sorted(COLUMNS)).flatmap(
    lambda order: st.integers(0, len(order)).map(
        lambda count: [each for each in order if each in NEEDED or order.index(each) < count]
    )
)


def refusal(read, given_text) -> SheetError | None:
    try:
        read(given_text)
    except SheetError as error:
        return error
    return None


@given(st.text(max_size=300))
def test_any_text_is_a_table_or_is_refused_in_words(text):
    refused = refusal(rows, text)
    assert refused is None or (refused.fault.zh and refused.fault.en)


@given(st.binary(max_size=200))
def test_any_file_is_text_or_is_refused(data):
    refused = refusal(text_of, data)
    assert refused is None or refused.fault.zh


@given(columns, st.data(), st.sampled_from(",;\t"), st.sampled_from(["\n", "\r\n"]))
def test_what_a_spreadsheet_writes_is_read_as_it_was(order, data, delimiter, end):
    table = data.draw(
        st.lists(st.lists(cells, min_size=len(order), max_size=len(order)), max_size=5)
    )
    written = io.StringIO()
    writer = csv.writer(written, delimiter=delimiter, lineterminator=end)
    names = [data.draw(st.sampled_from(COLUMNS[each])) for each in order]
    writer.writerow(names)
    writer.writerows(table)
    kept = [row for row in table if any(cell.strip() for cell in row)]
    if not kept:
        return
    found = rows(written.getvalue())
    assert len(found) == len(kept)
    for row, given_cells in zip(found, kept, strict=True):
        for name, cell in zip(order, given_cells, strict=True):
            expected = cell if name == "password" else cell.strip()
            assert row.cells.get(name, "") == expected
        assert row.line >= 2
