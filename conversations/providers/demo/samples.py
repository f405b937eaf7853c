"""The texts of the demo model, each showing another part of Markdown."""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import dedent


@dataclass(frozen=True, slots=True)
class Sample:
    """One text, and the words of a prompt that it suits."""

    words: frozenset[str]
    body: str


def _sample(words: str, body: str) -> Sample:
    return Sample(frozenset(words.split()), dedent(body).strip())


RAINBOW = _sample(
    "explain rainbow rainbows light sky colour colours color colors physics paragraph paragraphs science",
    """
    ## How a rainbow comes about

    A rainbow needs two things at once: **sunlight from behind you** and **drops of water in front of you**. Light that
    enters a drop is bent at its surface, reflected at the back of the drop and bent once more on its way out. The sum
    of these three turns sends most of the light back at an angle of about 42 degrees, and that is why the bow is part
    of a circle: every drop that sits at this angle around the point opposite the sun sends light into your eye.

    White light is a mixture, and water bends *blue* light a little more strongly than *red*. So the drops sort the
    colours: red comes from drops slightly higher up, violet from drops slightly lower down. You never see all the
    colours of one drop. Each drop gives you a single one, and as it falls it hands its place to the next.

    Sometimes a second, paler bow stands outside the first. Its light was reflected **twice** within the drops, which
    costs brightness and turns the order of the colours around. The sky between the two bows looks darker, because no
    drop there sends light towards you.

    > Nobody else sees your rainbow: the person beside you looks at other drops.
    """,
)

TEA_AND_COFFEE = _sample(
    "table tables compare comparison difference differences versus tea coffee drink drinks columns",
    """
    ## Side by side

    | | Tea | Coffee |
    |:--|:--|:--|
    | Comes from | leaves of *Camellia sinensis* | roasted seeds of the coffee plant |
    | Water | 70 to 100 °C, by kind | 90 to 96 °C |
    | Time to brew | 2 to 5 minutes | 25 seconds to 5 minutes |
    | Caffeine in a cup | about 30 to 50 mg | about 80 to 120 mg |
    | Second brew | often, with good leaves | hardly |
    | Keeps | a year or more, dry and dark | a few weeks after roasting |

    ### What the table does not show

    - **Speed.** The caffeine is the same substance in both. There is simply more of it in a usual cup of coffee, so the
      effect is easier to notice.
    - **Taste.** Tea turns bitter when the water is too hot for its kind or the leaves stay in too long. Coffee turns
      bitter when it is ground too finely, and sour when it is ground too coarsely.
    - **Effort.** Both need fresh water and a little attention; neither needs expensive equipment.

    ### In one sentence

    If you want something for a *long afternoon*, make a pot of tea; if you want something for the *next hour*, make a
    cup of coffee. And if the choice itself feels like work, a glass of water is a sound decision while you think about
    it.
    """,
)

PRIMES = _sample(
    "python code function program programming prime primes numbers algorithm script",
    '''
    ## Prime numbers up to n

    The oldest method is still a good one. The *sieve of Eratosthenes* writes down all numbers and crosses out the
    multiples of each prime; what remains is prime.

    ```python
    def primes_up_to(n: int) -> list[int]:
        """All prime numbers up to and including n, in order."""
        if n < 2:
            return []
        is_prime = bytearray([1]) * (n + 1)
        is_prime[0] = is_prime[1] = 0
        for candidate in range(2, int(n**0.5) + 1):
            if is_prime[candidate]:
                multiples = range(candidate * candidate, n + 1, candidate)
                is_prime[candidate * candidate :: candidate] = bytes(len(multiples))
        return [number for number, flag in enumerate(is_prime) if flag]


    print(primes_up_to(30))
    ```

    It prints:

    ```text
    [2, 3, 5, 7, 11, 13, 17, 19, 23, 29]
    ```

    ### Why it is quick

    1. Crossing out begins at `candidate * candidate`: every smaller multiple has a smaller factor and is crossed out
       already.
    2. The loop ends at the square root of `n`, for the same reason.
    3. A `bytearray` takes one byte for each number, and the assignment to a slice is done in one step instead of a loop
       in Python.

    For `n` of ten million this takes about a second, and 10 MB for the sieve. For much larger numbers, work through the
    range in **segments** that fit into the cache of the processor.
    ''',
)

SMALL_TOOLS = _sample(
    "code javascript js sql shell bash command commands terminal query web database program example examples snippet",
    """
    ## The same question in three languages

    Suppose there is a list of visits, and you would like to know **which page was read most often**. Three small
    answers, for three places where the list may be.

    ### In the browser, with JavaScript

    ```javascript
    function mostRead(visits) {
      const counts = new Map();
      for (const { page } of visits) {
        counts.set(page, (counts.get(page) ?? 0) + 1);
      }
      return [...counts].sort(([, a], [, b]) => b - a)[0]?.[0];
    }
    ```

    ### In the database, with SQL

    ```sql
    SELECT page, count(*) AS visits
    FROM visit
    WHERE visited_at >= now() - interval '7 days'
    GROUP BY page
    ORDER BY visits DESC
    LIMIT 1;
    ```

    ### In a log file, with the shell

    ```bash
    awk '{ print $7 }' access.log | sort | uniq -c | sort -rn | head -n 1
    ```

    ### Which one to take

    - Take the **database** when the data is there anyway. It counts without sending every row over the network.
    - Take the **shell** for a question that you ask once.
    - Take **JavaScript** when the list is short and already on the page.

    All three do the same: *group, count, sort, take the first*. It is worth learning to see this pattern, because many
    questions about data are variations of it.
    """,
)

HIKE = _sample(
    "list lists plan planning pack packing trip travel hike hiking checklist holiday weekend ideas todo tasks",
    """
    ## A day in the hills

    ### To pack

    - **Clothes**
      - shoes that you have already walked in
      - a layer for the wind
        - and a thin one for the top, where it is colder than it looks
      - a hat, even without sun
    - **Food and water**
      - one and a half litres for each person
      - bread, cheese, an apple
      - something sweet for the last hour
    - **For the way**
      - a map on paper, or one on the phone that works without a network
      - a small lamp
      - plasters

    ### To do

    - [x] Choose a route of four to five hours
    - [x] Look at the weather on the evening before
    - [ ] Tell somebody where you go and when you will be back
    - [ ] Charge the phone

    ### The day itself

    1. Start early. The first two hours are the most beautiful, and you will be glad of them in the afternoon.
    2. Rest *before* you are tired:
       1. ten minutes after the first hour,
       2. a long rest at the highest point,
       3. a short one whenever somebody stops talking.
    3. Turn around at the time that you set yourself, **whether or not** you have reached the top. The hill will be
       there next week.

    That is about all. Most of what one carries is for peace of mind, and peace of mind weighs less when the plan is
    simple.
    """,
)

BREAD = _sample(
    "recipe recipes cook cooking bake baking bread food meal dinner steps step kitchen instructions",
    """
    ## A plain loaf of bread

    **You need** 500 g of flour, 350 g of water, 10 g of salt, 3 g of dry yeast. Ten minutes of work, and a good deal of
    waiting.

    ### In the evening

    1. Stir the yeast into the water, which should be cool.
    2. Add the flour and the salt and mix until no dry flour is left. *Do not knead.* Time does the work.
    3. Cover the bowl and leave it in the kitchen overnight, for 10 to 12 hours.

    ### In the morning

    4. Turn the dough out on a floured table. Fold it four times, from each side to the middle.
    5. Let it rest for an hour under a cloth, with the fold below.
    6. Heat the oven to 240 °C, with a lidded pot inside.
    7. Put the dough into the hot pot, cut the top once, and close the lid.
    8. Bake for 30 minutes with the lid on and 15 minutes without.

    > It is done when it sounds hollow as you knock on its underside.

    ### If something goes wrong

    | What you see | What it means |
    |---|---|
    | flat, and sour in smell | it stood too long or too warm |
    | dense, with a pale crumb | it stood too short or too cold |
    | a pale crust | bake it longer without the lid |

    Wait an hour before you cut it. This is the hardest step.
    """,
)

LETTER = _sample(
    "letter essay email mail text story poem writing summary summarise summarize translate read reading book advice",
    """
    ## On writing plainly

    Most advice on writing comes down to one question: *what does the reader do with this sentence?* If the sentence
    gives them something, it stays. If it only shows that the writer has been busy, it goes.

    Begin with what you would say first if you met the reader in the corridor. It is rarely what stands at the top of
    the first draft. A first draft warms up, explains how the question came about and apologises for its length; the
    real beginning is usually in the third paragraph. Move it up, and see how much of the rest is still needed.

    Then read aloud. The ear finds what the eye forgives: the sentence that needs a second breath, the word that comes
    twice in a line, the phrase that nobody would say. **If you stumble, the reader will as well.**

    > I have made this letter longer than usual, because I have not had time to make it shorter.
    >
    > *after Blaise Pascal*

    Last, leave it alone for a night. In the morning you are nearly a stranger to your own text, and strangers are good
    editors. Cut what you skipped while reading. Keep what made you nod. What is left is probably shorter by a third,
    and nobody but you will ever know what was there.

    ---

    A good test for the end: if the last paragraph only repeats the first one, the text was finished before it.
    """,
)

THIS_CHAT = _sample(
    "stop stopping stream streaming model models connect api key markdown chat demo help openai ollama test hello",
    """
    ## What you can try here

    While this text appears, word by word, press **Stop generating**. The server closes its connection to the model at
    once, and what you have read so far stays on the page, in the database and in the history.

    ### After a stop

    1. **Continue generating** makes a new version that begins with the stopped text and goes on from there.
    2. **Regenerate** makes another version from the beginning. Both stay, and you can switch between them.
    3. Or simply ask the next question. The model is told that its last answer was stopped.

    Closing the page does the same as Stop, unless you chose otherwise. Ask for something *long* to have time for it.

    ### To connect a real model

    Any server that speaks the Chat Completions interface will do, for example one on your own machine. Put its address
    into the file `.env` and start again:

    ```ini
    OPENAI_BASE_URL=http://127.0.0.1:11434/v1
    OPENAI_API_KEY=whatever-your-server-asks-for
    ```

    ### To read on

    - [Server-sent events](https://developer.mozilla.org/en-US/docs/Web/API/Server-sent_events), the form in which a
      model sends its words
    - [WebSocket](https://developer.mozilla.org/en-US/docs/Web/API/WebSocket), the way they take from here to your page
    - [CommonMark](https://commonmark.org/help/), the Markdown that you see formatted
    """,
)

PLANETS = _sample(
    "table tables planet planets numbers data figures statistics space astronomy size sizes units",
    """
    ## Eight planets in figures

    | Planet | Diameter in km | Distance from the sun in million km | One year | Moons of note |
    |:--|--:|--:|--:|:--|
    | Mercury | 4,879 | 58 | 88 days | none |
    | Venus | 12,104 | 108 | 225 days | none |
    | Earth | 12,756 | 150 | 365 days | the Moon |
    | Mars | 6,792 | 228 | 687 days | Phobos, Deimos |
    | Jupiter | 142,984 | 778 | 11.9 years | Io, Europa, Ganymede, Callisto |
    | Saturn | 120,536 | 1,432 | 29.4 years | Titan, Enceladus |
    | Uranus | 51,118 | 2,867 | 84 years | Titania, Oberon |
    | Neptune | 49,528 | 4,515 | 165 years | Triton |

    ### How to picture it

    Make the **sun** a ball of one metre across. Then

    - the **Earth** is a pea, 107 metres away;
    - **Jupiter** is a grapefruit, more than half a kilometre away;
    - **Neptune** is a plum, over three kilometres away;
    - and the nearest *other* star is a football, at about 29,000 kilometres.

    Between them there is nothing to speak of. The pictures in books are always wrong in one respect: either the
    distances are true, and then the planets are too small to print, or the planets are true, and then the page is
    too short.

    Light crosses the same space in eight minutes from the sun to the Earth, and in a little more than four hours to
    Neptune.
    """,
)

SAMPLES = (RAINBOW, TEA_AND_COFFEE, PRIMES, SMALL_TOOLS, HIKE, BREAD, LETTER, THIS_CHAT, PLANETS)
