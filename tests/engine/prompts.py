"""Twenty prompts of different kinds and lengths for the built-in model."""

PROMPTS = (
    "Once upon a time, in a village below the glacier,",
    "The recipe for my grandmother's lentil soup begins with",
    "def mean(values):\n    ",
    "Q: Why does bread rise?\nA:",
    "Dear neighbour, I am writing to you because the fence between our gardens",
    "Water boils at a lower temperature in the mountains because",
    "The three most useful things to carry on a long walk are",
    "In the year 1969,",
    "She opened the letter, read it twice, and then",
    "List of rivers in Europe:\n1. Danube\n2.",
    "The main difference between a comet and an asteroid is",
    "Translate to French: The train leaves at noon.\n",
    "The opposite of courage is not fear but",
    "To repair a bicycle tyre, first remove the wheel. Then take the tyre off the rim with two "
    "levers, pull out the tube, pump it up and listen for the hiss. Next,",
    "Minutes of the meeting of 4 March. Present: Ada, Noor, Tomas. The first point was the roof of "
    "the library, which has been leaking since the storm in January. Noor reported that",
    "My favourite painting shows",
    "Roses are red,\nviolets are blue,\n",
    "HTTP status code 404 means",
    "If all cats are animals and some animals are black, then",
    "Poem\n\nThe lighthouse keeper counts the waves,",
)
