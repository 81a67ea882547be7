"""A browser understands of HTML without `###` what it understood with it."""

import random

from browser import elements

from relay.providers.mensatek.markers import neutral_html

_PIECES = [
    "###",
    "####",
    "#",
    "##",
    "###Name###",
    "<p title='###'>",
    '<a href="https://x.example/?a=1&b=2####">',
    "</a>",
    "</p>",
    "<td bgcolor=###>",
    "<b ###=x>",
    "<style>a:after{content:'###'}</style>",
    "<script>'###'</script>",
    "<!-- ### -->",
    "<!--[if mso]><p>###</p><![endif]-->",
    "<![CDATA[###]]>",
    "<?xml ###?>",
    "<title>###</title>",
    "<pre>\n###</pre>",
    "<textarea>###<b></textarea>",
    "<svg><text>###</text></svg>",
    "<svg><style>###</style></svg>",
    "<math><mi>###</mi></math>",
    "<img alt=\"a > ### b\" src='###'>",
    "< ###",
    "<3 ###",
    "</ ###>",
    "<a b='###",
    "&#35;##",
    "&##",
    "<p/###>",
    "<br>",
    "word",
    "<noscript>###</noscript>",
    "<select><option>###</select>",
    "<template>###</template>",
]


def test_nothing_but_the_marker_changes(tmp_path):
    rng = random.Random(13)
    pages = [*_PIECES, *("".join(rng.choices(_PIECES, k=rng.randint(2, 8))) for _ in range(600))]
    told = elements([*pages, *map(neutral_html, pages)], tmp_path)
    other = {
        page: (with_it, without)
        for page, with_it, without in zip(pages, told[: len(pages)], told[len(pages) :], strict=True)
        if with_it != without
    }

    assert {} == other
