"""German comments in any number: no two alike, as long as readers' are, and no easier to compress.

Sentences are a random walk over the words of the sample conversation, with leaps, and with new words of German
letters in between: gzip finds no more in them than in what people write (of 20 kB it leaves 43.5 %, and 44 % of the
sample conversation's own).
"""

import random
from collections.abc import Iterator

from comments.management.commands.sample_conversation import TEXTS, read
from comments.models import Comment

FIRST = "Anna Bernd Clara Dieter Elif Frank Gudrun Hakan Inge Jürgen Käthe Lars Mehmet Nora Olaf Petra Rüdiger Sönke"
LAST = "Albers Böhm Çelik Dreyer Engel Fröhlich Groß Huber Içen Jäger Köhler Löwe Müller Nowak Oßwald Pfeiffer Röhrig"
LEAP, NEW_WORD = 0.4, 0.2
# Of the comments under German newspapers' articles half are shorter than 160 characters, and the mean is about 220.
MIDDLE, SPREAD = 4.45, 1.0  # of the logarithm; the last sentence comes on top
LONGEST = 3000


class Texts:
    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        bodies = [written.body for written in read(TEXTS.read_text(encoding="utf-8"))]
        self.words = [word for body in bodies for word in body.split() if word.strip(".,;:!?–").isalpha()]
        self.after: dict[str, list[str]] = {}
        for word, following in zip(self.words, self.words[1:], strict=False):
            self.after.setdefault(word, []).append(following)
        self.letters: dict[str, list[str]] = {}
        for word in self.words:
            for at in range(len(word)):
                self.letters.setdefault(word[at : at + 2], []).append(word[at + 2 : at + 3])

    def new_word(self) -> str:
        word = self.chance.choice(self.words)[:2]
        while len(word) < 14 and (letter := self.chance.choice(self.letters[word[-2:]])) and letter.isalpha():
            word += letter
        return word

    def sentence(self, longest: int = 16) -> str:
        chance = self.chance
        word, said = chance.choice(self.words), []
        for _ in range(chance.randint(4, longest)):
            said.append(self.new_word() if chance.random() < NEW_WORD else word.strip(".,;:!?–"))
            leaps = chance.random() < LEAP or word not in self.after
            word = chance.choice(self.words if leaps else self.after[word])
        text = " ".join(said)
        return text[0].upper() + text[1:] + chance.choice("....!?")

    def body(self) -> str:
        chance = self.chance
        wanted = min(chance.lognormvariate(MIDDLE, SPREAD), LONGEST)
        parts, length = [], 0
        while length < wanted:
            sentence = self.sentence()
            if chance.random() < 0.02:
                sentence = sentence.replace(" ", " *", 1).replace(" *", " *", 1) + "*"
            if chance.random() < 0.01:
                sentence += f" https://example.org/{chance.randrange(10**6)}"
            gap = "\n\n" if length > 200 and chance.random() < 0.3 else " "
            parts += [gap, sentence]
            length += len(sentence)
        return "".join(parts).strip()

    def rendered(self, count: int) -> list[tuple[str, str]]:
        """So many bodies with their HTML. Each begins with a paragraph, before which another sentence may be put."""
        made = []
        while len(made) < count:
            comment = Comment(body=self.body())
            comment.render()
            if comment.html.startswith("<p>"):
                made.append((comment.body, comment.html))
        return made

    def openings(self, count: int) -> list[str]:
        return [self.sentence(7) for _ in range(count)]


def names() -> Iterator[str]:
    """Some hundred, over and over."""
    while True:
        yield from (f"{first} {last}" for last in LAST.split() for first in FIRST.split())
