"""What the files of the built site say, read without a browser."""

import json
import re
from pathlib import Path

import nbformat
from jupyter_cache import get_cache

ROOT = Path(__file__).resolve().parents[2]
KILOBYTE = 1000


def executed(name):
    """The notebook as the build executed it: MyST-NB's own copy has no outputs where they came from the cache."""
    notebook = nbformat.read(ROOT / f"{name}.ipynb", as_version=4)
    return get_cache(str(ROOT / "_build" / ".jupyter_cache")).merge_match_into_notebook(notebook)[1]


def test_every_page_of_the_contents_is_built(built_page):
    assert built_page.file.is_file()
    assert "<h1>" in built_page.article


def test_no_cell_failed(built_chapter, site):
    assert not (site / "reports").exists()
    shown = re.sub(r"<script.*?</script>", "", built_chapter.article, flags=re.DOTALL)  # a vocabulary may hold the word
    assert "traceback" not in shown


def test_every_output_of_the_execution_is_on_the_page(built_chapter):
    cells = [c for c in executed(built_chapter.name).cells if c.cell_type == "code"]
    with_output = [c for c in cells if c.outputs and not {"remove-output", "remove-cell"} & set(c.metadata.get("tags", []))]
    assert cells
    assert all(c.execution_count for c in cells if c.source.strip())
    assert built_chapter.article.count('class="cell_output') == len(with_output)


def test_no_cell_leaves_the_name_of_an_object_behind(built_chapter):
    # a drawing cell whose last call lacks its semicolon prints what that call returned; a widget without a view prints itself
    for cell in executed(built_chapter.name).cells:
        for output in cell.get("outputs", []):
            assert output.get("name") != "stderr", f"{cell.id}: {output['text'][:200]}"
            if set(output.get("data", {})) == {"text/plain"}:
                assert not re.search(r"Text\(|<\w+(\.\w+)+ |object at 0x|^\w+\(children=", output["data"]["text/plain"]), cell.id


def test_every_picture_of_the_execution_is_on_the_page(built_chapter):
    outputs = [o for c in executed(built_chapter.name).cells if c.cell_type == "code" for o in c.outputs]
    pictures = [o for o in outputs if {"image/png", "image/svg+xml"} & set(o.get("data", {})) and "text/html" not in o["data"]]
    shown = [e for e in built_chapter.elements if e.tag == "img" and "_images/" in e.attributes["src"]]
    assert pictures
    assert len(shown) >= len(pictures)
    for element in shown:
        assert (built_chapter.file.parent / element.attributes["src"]).is_file()


def test_every_picture_has_words_for_those_who_do_not_see_it(built_page):
    for element in built_page.elements:
        if element.tag == "img" and "logo" not in element.attributes.get("class", ""):
            alt = element.attributes.get("alt", "")
            assert len(alt) > 15, element
            assert not re.search(r"\.(png|svg|jpe?g)$", alt), element


def test_every_page_says_what_it_is_and_has_a_preview_picture(built_page, site):
    description = built_page.meta("description")
    assert 40 <= len(description) <= 210
    assert built_page.meta("og:description") == description
    assert built_page.meta("og:title")
    picture = built_page.meta("og:image")
    assert picture.startswith("https://") or (built_page.file.parent / picture).is_file()
    assert (site / "_static" / "social_card.png").stat().st_size < 300 * KILOBYTE


def test_descriptions_differ(site):
    found = [re.search(r'name="description" content="([^"]*)"', file.read_text()) for file in site.glob("[bn]*/*.html")]
    texts = [match[1] for match in found]
    assert len(texts) > 3
    assert len(set(texts)) == len(texts)


def test_the_root_leads_to_the_first_page(site, home):
    root = (site / "index.html").read_text()
    assert f'url={home}.html"' in root
    assert 'property="og:image"' in root


def test_github_pages_leaves_folders_with_an_underscore_alone(site):
    assert (site / ".nojekyll").is_file()


def test_pages_are_small(built_page, home):
    limits = {home: 700, "notebooks/transformers": 1750}  # the latter carries a GPT, 0.8 million numbers
    limit = limits.get(built_page.name, 1500)
    assert built_page.file.stat().st_size < limit * KILOBYTE


def test_a_page_carries_only_state_that_it_can_use(built_page):
    for text in re.findall(r'<script type="application/vnd.jupyter.widget-state\+json">(.*?)</script>', built_page.html):
        for key, model in json.loads(text)["state"].items():
            if "_esm" in model["state"]:
                assert f'"model_id": "{key}"' in built_page.html or f'"model_id":"{key}"' in built_page.html
            else:  # it shows nothing itself: a widget reads it
                assert f"IPY_MODEL_{key}" in text


def test_a_panel_that_needs_python_says_so(built_chapter):
    # the site prefers the panel's words to a widget that would be dead here
    assert "dl-static" in built_chapter.article


def test_no_page_names_a_content_network(built_page, self_contained):
    scripts = [e.attributes for e in built_page.elements if e.tag in {"script", "link", "img", "iframe"}]
    for attributes in scripts:
        source = attributes.get("src") or (attributes.get("href") if attributes.get("rel") != "canonical" else "") or ""
        assert not source.startswith(("http:", "https:", "//")), attributes


def test_solutions_are_hidden_and_there(built_chapter):
    assert len(re.findall(r'<details class="admonition hide', built_chapter.article)) >= 5
