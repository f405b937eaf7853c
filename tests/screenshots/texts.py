"""The prompts and answers in the screenshots."""

RAINBOW = "How does a rainbow come about?"
RAINBOW_ANSWER = """\
A rainbow is sunlight that raindrops have **bent, mirrored and spread** into its colours. You see one when the sun is \
behind you and it rains in front of you.

### What happens in one drop

1. Light enters the drop and is refracted: violet a little more than red.
2. It is reflected at the far side of the drop.
3. It is refracted again as it leaves, and the colours part further.

The light comes back at about 42° for red and 40° for violet. All drops that send you red lie on one circle around the \
point opposite the sun, which is why the bow is round, and why
"""

CODE = "Write a rate limiter in Python that allows bursts"
CODE_ANSWER = '''\
A **token bucket** fits: it fills at a steady rate, and a request takes what it needs or is told how long to wait.

```python
import time
from dataclasses import dataclass, field


@dataclass
class TokenBucket:
    """Allows `rate` requests a second on average, and `burst` of them at once."""

    rate: float
    burst: int
    level: float = field(init=False)
    filled_at: float = field(default_factory=time.monotonic, init=False)

    def __post_init__(self) -> None:
        self.level = float(self.burst)

    def take(self, amount: int = 1) -> float:
        """Take from the bucket; returns the seconds to wait, 0.0 if it was granted."""
        self._fill()
        if self.level >= amount:
            self.level -= amount
            return 0.0
        return (amount - self.level) / self.rate

    def _fill(self) -> None:
        now = time.monotonic()
        self.level = min(self.burst, self.level + (now - self.filled_at) * self.rate)  # never more than a burst
        self.filled_at = now
```

Keep one bucket for each person, `TokenBucket(rate=5, burst=20)` for example. It costs two numbers and no timer.
'''

TABLE = "Compare the usual ways to make coffee at home in a table"
TABLE_ANSWER = """\
Per cup, with good beans at about €24 a kilo:

| Method | Grind | Water | Time | Cost | What you taste |
|---|---|---:|---:|---:|---|
| Filter | medium | 250 ml | 4 min | €0.36 | clear, light, every note of the bean |
| French press | coarse | 250 ml | 5 min | €0.38 | full and round, some sediment |
| Moka pot | fine | 60 ml | 6 min | €0.34 | strong, slightly bitter |
| Espresso | very fine | 36 ml | 30 s | €0.43 | dense and sweet, with crema |
| Cold brew | coarse | 200 ml | 14 h | €0.48 | soft, hardly any acid |

If you like it **clear**, start with filter: a €10 dripper and fresh beans do more than any machine.

> Whatever you choose, grind just before brewing. Ground coffee loses most of its aroma within half an hour.
"""

MATHEMATICS = "Why does the quadratic formula work?"
MATHEMATICS_ANSWER = """\
Because every quadratic can be written as a square. Start with $ax^2 + bx + c = 0$, where $a \\neq 0$, and divide by \
$a$:

$$x^2 + \\frac{b}{a}x = -\\frac{c}{a}$$

Add $\\left(\\frac{b}{2a}\\right)^2$ on both sides; the left one is a square then:

$$\\left(x + \\frac{b}{2a}\\right)^2 = \\frac{b^2 - 4ac}{4a^2}$$

Take the root, and bring the rest to the other side:

$$x = \\frac{-b \\pm \\sqrt{b^2 - 4ac}}{2a}$$

What stands under the root, $b^2 - 4ac$, says how many real solutions there are: two, one or none.
"""

LISBON = "Plan four days in Lisbon with two children, without a car"
LISBON_ANSWER = """\
Four days, each with one big thing and time to do nothing. Everything is reached on foot, by tram or by train.

### Day 1: Alfama and the castle

- **Morning:** take tram 28 early, before nine, from Martim Moniz; later there is no seat.
- **Noon:** the castle's peacocks and walls keep children busy for two hours.
- **Afternoon:** down through the lanes to the river, and an ice cream at the Terreiro do Paço.

### Day 2: Belém

Train from Cais do Sodré, seven minutes. The monastery's cloister first, then the custard tarts around the corner, and \
in the afternoon
"""

CONSTITUTION = "Summarise the separation of powers in three sentences"
SEPARATION = [
    """\
Those who make the laws, those who carry them out and those who judge by them are different people. Each group can \
stop \
the others, so that none can do as it likes. It is slower than one ruler, and that is the point.""",
    """\
Parliament makes the laws, the government carries them out, and courts decide what they mean in a dispute. Each of the \
three checks the other two: courts can strike down a law, parliament can dismiss a government. Power is divided so \
that \
nobody has to be trusted with all of it.""",
]
EDITED = "Summarise the separation of powers in three sentences, for a ten-year-old"
EDITED_ANSWER = (
    "Imagine a game in which one child makes the rules, another one plays referee, and a third settles quarrels. "
    "If one of them cheats, the other two can say stop. "
    "A country does the same, so that no one can boss everybody around."
)

LETTER = "Write a friendly letter to my landlord: the heating has been off for three days"
WEATHER = "What does a falling barometer mean?"

SYSTEM_PROMPT = "Answer in British English, briefly. Ada turns seven and loves owls."

GERMAN = "Woher kommt der Name „Kaffee“?"
GERMAN_ANSWER = """\
Das Wort kam in mehreren Schritten ins Deutsche:

1. arabisch *qahwa*, ursprünglich ein anregendes Getränk, auch Wein
2. türkisch *kahve*, im 16. Jahrhundert das Getränk aus gerösteten Bohnen
3. italienisch *caffè* und französisch *café*, von dort im 17. Jahrhundert **Kaffee**

Ob *qahwa* mit der Landschaft Kaffa in Äthiopien zusammenhängt, ist umstritten: Die Pflanze stammt von dort, der Name \
vermutlich nicht.
"""

# Earlier conversations in the list.
ANSWERS = {
    "Reading list for the book club": """\
Six novels under 300 pages, one for each month:

1. *The Summer Book*, Tove Jansson
2. *Convenience Store Woman*, Sayaka Murata
3. *Small Things Like These*, Claire Keegan
4. *The Housekeeper and the Professor*, Yoko Ogawa
5. *Train Dreams*, Denis Johnson
6. *Foster*, Claire Keegan""",
    "Sourdough: times and temperatures": """\
At 24 °C: feed the starter **4 hours** before mixing, let the dough rise for **5 hours** with four folds, and keep the \
loaf overnight at 5 °C. Bake at 250 °C with steam for 20 minutes, then 25 minutes at 220 °C.""",
    "Birthday poem for Ada": """\
> Ada turned seven, the owls came to tea,\\
> they sat in a row on the branch of a tree.\\
> "Who?" asked the first one, "Who?" said the rest.\\
> "**Ada!**" said Ada. "I'm who. I'm the guest."

Shall I add a verse with her brother in it, or keep it this short so that she can learn it by heart?""",
    "Why my SQL query is slow": """\
The plan reads all of `orders` because of `lower(email)`: an index on `email` is of no use to it. Create one on the \
expression, or store addresses in lower case.""",
    "Explain mortgages like I am twelve": """\
You borrow money for a house, and the house is the promise. Each month you pay back a little of the money, and a fee \
for having borrowed it. If you stop paying, the bank may sell the house.""",
    "Names for a small grey cat": "Ash, Pebble, Earl, Fog, Nickel, Miso, Wren, Tuppence …",
    "Training plan for ten kilometres": """\
Three runs a week for eight weeks: one easy, one with short faster parts, one long. The long one grows from 5 to 12 \
kilometres; the last week is light.""",
    "What to plant in a shady garden": "Ferns, hostas and foxgloves; under trees cyclamen, which flower first.",
    "A week of school lunches": "Monday: wraps with hummus and carrots. Tuesday: pasta salad. Wednesday: they choose.",
    "Bike route along the Elbe": "From Dresden to Hamburg in nine days, 60 kilometres a day, all downstream.",
    "How vaccines are tested": "In three phases: is it safe, does the body answer, and does it protect.",
    "Budget for the summer festival": "Tent and stage are half of it. Children pay nothing, so count 300 tickets.",
}
ANSWER = "Here is a short version. Tell me what to change, and I will write the rest in the same tone."
