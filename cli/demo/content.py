"""The names and texts of the example support desk: Tidemark, an invented planner for teams."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["ARTICLES", "FIRST_NAMES", "LAST_NAMES", "PLACES", "PLANS", "QUEUES", "Article", "Queue"]


class Article(NamedTuple):
    """A help article."""

    title: str
    keywords: str
    body: str


class Queue(NamedTuple):
    """One kind of ticket: how many come in, and how their senders write."""

    name: str
    first: int
    """Tickets of this kind among those of the first run."""
    fresh: int
    """Tickets of this kind among those that come after it."""
    letters: tuple[tuple[str, str], ...]
    """Pairs of subject and text; `{address}` stands for a new address."""


PLANS = {"Starter": 900, "Team": 1900, "Business": 3900}
"""Price of each plan, in cents for a seat and month."""

FIRST_NAMES = (
    "Amara", "Benedikt", "Carla", "Dmitri", "Elif", "Farid", "Greta", "Hana", "Ignacio", "Jolanta",
    "Kofi", "Leonie", "Mateus", "Nadia", "Oskar", "Priya", "Quentin", "Rosalind", "Sanjay", "Tove",
)  # fmt: skip
LAST_NAMES = (
    "Abara", "Bergqvist", "Costa", "Donnelly", "Eriksen", "Fontaine", "Gallagher", "Haddad",
    "Ivanova", "Jansen", "Kowalczyk", "Lindqvist", "Moreau", "Nakagawa", "Okafor", "Petrescu",
    "Quiroga", "Rossi", "Silveira", "Tanaka",
)  # fmt: skip
PLACES = (
    ("14 Harbour Street", "Bristol", "BS1 4QA"),
    ("3 Mill Lane", "Leeds", "LS2 7EW"),
    ("78 Castle Road", "Edinburgh", "EH1 2NG"),
    ("21 Orchard Close", "Norwich", "NR3 1AU"),
    ("5 Station Parade", "Cardiff", "CF10 1EP"),
    ("112 Victoria Avenue", "Manchester", "M1 3HU"),
    ("9 Quayside", "Newcastle", "NE1 3DX"),
    ("46 Abbey Walk", "York", "YO30 7BZ"),
)

ARTICLES = (
    Article(
        "Reset a forgotten password",
        "password forgotten reset login link",
        "Choose 'Forgotten password' on the login page and open the link that we send you. The link"
        " is good for one hour; asking for a new one makes the older one void.",
    ),
    Article(
        "When your account is locked",
        "locked account login attempts",
        "After ten failed logins an account locks itself. Support can lift the lock; afterwards set"
        " a new password before you log in on other devices.",
    ),
    Article(
        "Set up two-step login on a new phone",
        "two-step code authenticator phone login device",
        "Log in with one of your recovery codes, open Settings, Security, and scan the new code"
        " with your authenticator. The old phone stops working at once.",
    ),
    Article(
        "Which plan has which features",
        "plan plans compare features starter team business",
        "Starter has boards and calendars, Team adds shared workloads and guest access, and"
        " Business adds single sign-on and an audit log. You can move between plans at any time.",
    ),
    Article(
        "Upgrade to a larger plan",
        "upgrade plan move price",
        "Open Settings, Plan, and choose the new plan. You pay the difference for the days that are"
        " left in the month, and the full price from the next invoice on.",
    ),
    Article(
        "Add or remove seats",
        "seats add remove members people",
        "Open Settings, Members. A new seat is charged from the day on which you add it; a removed"
        " one stays until the end of the month that you have paid.",
    ),
    Article(
        "Annual billing",
        "annual yearly billing discount plan",
        "With annual billing you pay ten months for twelve. Change over in Settings, Plan; what is"
        " left of the current month is credited.",
    ),
    Article(
        "Guests and what they see",
        "guest guests access share board",
        "A guest sees only the boards that were shared with them and needs no seat. Guests come"
        " with the Team and Business plans.",
    ),
    Article(
        "Single sign-on",
        "single sign-on saml login business",
        "On the Business plan an administrator can connect your identity provider under Settings,"
        " Security. Passwords go on working until you switch them off.",
    ),
    Article(
        "Export your data",
        "export data download archive",
        "Settings, Export gives you every board as a spreadsheet and every file as it was uploaded."
        " Large exports arrive by e-mail within an hour.",
    ),
    Article(
        "How refunds work",
        "refund refunds money back charge",
        "A refund goes to the card that paid the invoice and shows on its statement within five"
        " working days.",
    ),
    Article(
        "E-mail notifications",
        "notification notifications mail quiet",
        "Under Settings, Notifications you choose what reaches you by e-mail, and at which hours"
        " nothing does.",
    ),
)

QUEUES = (
    Queue(
        "duplicate_charge",
        9,
        5,
        (
            ("Charged twice", "My card shows the same amount two times. Please pay one back."),
            ("Two payments this month", "I see two charges from you and expected one."),
            ("Double charge on my card", "Could you check my invoices? I think one is a repeat."),
            ("Refund please", "You took the money twice, I would like it back."),
        ),
    ),
    Queue(
        "plan_question",
        8,
        4,
        (
            ("Upgrade to a larger plan?", "We are growing. What would change for us?"),
            ("Adding seats for new members", "Three people join next week. How do we add them?"),
            ("Is there a discount for annual billing?", "We would pay a year ahead if it is less."),
            ("Guest access to a board", "Can a client of ours look at one board only?"),
            ("Quick question", "What do we have now, and what else is there?"),
        ),
    ),
    Queue(
        "login",
        8,
        4,
        (
            ("Forgotten password", "I cannot remember it and need to get in today."),
            ("Locked out of my account", "It says that I tried too many times."),
            ("New phone, no login code", "My old phone is gone and the code was on it."),
            ("Help!!!", "Nothing works since this morning."),
        ),
    ),
    Queue(
        "cancellation",
        5,
        3,
        (
            ("Please cancel", "We are closing the project. Please end our subscription."),
            ("Cancel my subscription", "I no longer need it. Thank you for everything."),
        ),
    ),
    Queue(
        "address_change",
        5,
        2,
        (
            ("New address", "We moved. Our new address is: {address}. Thank you."),
            ("Address on invoices", "Please bill us here from now on. New address is: {address}."),
            ("We have moved", "Our office is somewhere else now, please change your records."),
        ),
    ),
    Queue(
        "invoice_question",
        5,
        2,
        (
            ("What did we pay for?", "Our accountant asks what is on each of our invoices."),
            ("Overview of invoices", "Please send a list of everything that you charged us."),
        ),
    ),
)
