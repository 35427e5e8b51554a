"""Neurons on a sensor: their places, their receptive fields, their partners.

Two-level tests (`two_levels`): 13 cases at 1e-6 each: with fresh seeds a right generator would
fail somewhere in this file with a probability of at most 1.3e-5. With the fixed seeds it fails
always or never: a failure is a finding.

Who draws one source, or a few of a few, does so with probabilities that are enumerated here.
Whole receptive fields have no law in closed form: they are ranked among those of another
generator, below, which draws one source after the other.

Power: each `wrong` generator must fail, such as the sigma of a field off by 3 %, an exponent
without its 2, or distances from the corner of a pixel instead of its middle.
"""

import itertools

import numpy as np
from hrsnn_rs.description.local_connectivity import LocalConnectivity, LocalRecurrence
from two_levels import (
    Binomial,
    Case,
    of_choices,
    of_counts,
    of_rank,
    right_cases,
    states_rate,
    wrong_cases,
)

SENSOR, SIGMA = (12, 9), 2.0
NEURONS = 60


def fields(rule, n_pre, n_post=NEURONS):
    """Generator of places, and for each neuron of the sources it drew, in increasing order."""

    def generate(seed):
        indptr, indices = rule.generate(n_pre, n_post, seed, "graph")
        sources = np.repeat(np.arange(n_pre), np.diff(indptr))
        chosen = sources[np.argsort(indices, kind="stable")].reshape(n_post, rule.k)
        return rule.positions(n_post, seed), chosen

    return generate


def of_places(made, _):
    return (made[0] / SENSOR).ravel()


def of_differences(made, _):
    """Between y and x, round the edge: uniform if one of them is so, given the other."""
    y, x = (made[0] / SENSOR).T
    return (y - x) % 1.0


def weights(places, others, sigma=SIGMA):
    """Of each source (columns) for each neuron (rows)."""
    squares = ((places[:, None] - others) ** 2).sum(axis=2)
    return np.exp(-squares / (2.0 * sigma**2))


def in_order(p, values, chosen):
    """Probabilities in the order of `values`, row by row, and where the chosen ones stand."""
    order = np.argsort(values, axis=1)
    return np.take_along_axis(p, order, axis=1), np.argmax(order == chosen[:, None], axis=1)


def of_one_source(order_of):
    """One source each, in an order that `order_of` takes from places of neurons and of sources."""

    def claim(made, draw):
        places, chosen = made
        p = weights(places, places)
        np.fill_diagonal(p, 0.0)
        p /= p.sum(axis=1, keepdims=True)
        return of_choices(*in_order(p, order_of(places), chosen[:, 0]), draw)

    return claim


def by_distance(places):
    return np.hypot(*(places[:, None] - places).transpose(2, 0, 1))


def by_angle(places):
    return np.arctan2(*(places[:, None] - places).transpose(2, 0, 1))


def by_number(places):
    return np.tile(np.arange(len(places)), (len(places), 1))


def law_of_sets(p, k):
    """Sets of k sources and their probabilities for each row of weights, drawn one by one."""
    sets = np.array(list(itertools.combinations(range(p.shape[1]), k)))
    orders = p[:, sets[:, list(itertools.permutations(range(k)))]]
    drawn_before = np.cumsum(orders, axis=-1) - orders
    left = p.sum(axis=1)[:, None, None, None] - drawn_before
    return sets, np.prod(orders / left, axis=-1).sum(axis=-1)


def of_sets(weights_of, k):
    """k sources each, of a few: sets in the order of their total weight, the heaviest last."""

    def claim(several, draw):
        p = np.concatenate([weights_of(places) for places, _ in several])
        chosen = np.concatenate([chosen for _, chosen in several])
        sets, law = law_of_sets(p, k)
        number = np.argmax((sets == chosen[:, None]).all(axis=2), axis=1)
        return of_choices(*in_order(law, p[:, sets].sum(axis=2), number), draw)

    return claim


def of_few_neurons(places):
    p = weights(places, places)
    np.fill_diagonal(p, 0.0)
    return p


def few(rule, n=8, n_graphs=5):
    """Several graphs of few neurons, each with places of its own."""
    return lambda seed: [fields(rule, n, n)(n_graphs * seed + i) for i in range(n_graphs)]


def pixels(sensor):
    return np.stack(np.unravel_index(np.arange(sensor[0] * sensor[1]), sensor), axis=1) + 0.5


def of_pixel(part):
    """One channel each: its row, its column, its polarity are independent."""

    def claim(made, draw):
        places, chosen = made
        numbers = np.unravel_index(chosen[:, 0], (2, *SENSOR))[part]
        if part == 0:
            return of_choices(np.full((NEURONS, 2), 0.5), numbers, draw)
        middles = np.arange(SENSOR[part - 1]) + 0.5
        p = np.exp(-((middles - places[:, part - 1, None]) ** 2) / (2.0 * SIGMA**2))
        return of_choices(p / p.sum(axis=1, keepdims=True), numbers, draw)

    return claim


def of_channel(made, draw):
    """One channel each, by its distance."""
    places, chosen = made
    middles = np.tile(pixels(SENSOR), (2, 1))
    p = weights(places, middles)
    distance = np.hypot(*(places[:, None] - middles).transpose(2, 0, 1))
    return of_choices(*in_order(p / p.sum(axis=1, keepdims=True), distance, chosen[:, 0]), draw)


def one_by_one(random, p, k):
    """k sources without replacement for each row of weights, in a loop of single draws."""
    p, rows = p.copy(), np.arange(len(p))
    chosen = []
    for _ in range(k):
        total = np.cumsum(p, axis=1)
        source = (total < random.random((len(p), 1)) * total[:, -1:]).sum(axis=1)
        p[rows, source] = 0.0
        chosen.append(source)
    return np.stack(chosen, axis=1)


FIELD_K, FIELD_SIGMA, N_OTHERS, N_FIELDS = 30, 1.5, 5, 8


def of_spread(made, draw):
    """Mean square of each field's distances, among fields that were drawn one by one."""
    places, chosen = made
    middles = np.tile(pixels(SENSOR), (2, 1))
    p = np.repeat(weights(places, middles, FIELD_SIGMA), N_OTHERS, axis=0)
    others = one_by_one(draw, p, FIELD_K).reshape(-1, N_OTHERS, FIELD_K)
    fields = np.concatenate([chosen[:, None], others], axis=1)
    squares = ((middles[fields] - places[:, None, None]) ** 2).sum(axis=(2, 3))
    return np.concatenate([of_rank(row[0], row[1:], draw) for row in squares])


def of_negative(made, draw):
    """Negative signs among a channel's synapses."""
    indptr, signs = made
    used = np.diff(indptr) > 0
    counts = np.add.reduceat((signs < 0.0).astype(int), indptr[:-1][used])
    return of_counts(Binomial(np.diff(indptr)[used], 0.15), counts, draw)


def signs_of(negative):
    rule = LocalConnectivity(SENSOR, k=30, negative=negative)

    def generate(seed):
        indptr, _ = rule.generate(216, NEURONS, seed, "inputs")
        return indptr, rule.signs(indptr, seed, "inputs")

    return generate


def recurrence(**options):
    return LocalRecurrence(**{"sensor": SENSOR, "k": 1, "sigma": SIGMA, **options})


def inputs(**options):
    return LocalConnectivity(**{"sensor": SENSOR, "k": 1, "sigma": SIGMA, **options})


def squeezed(seed):
    """Places drawn a little towards the first corner."""
    places, chosen = fields(recurrence(), NEURONS)(seed)
    return SENSOR * (places / SENSOR) ** 1.1, chosen


def on_a_line(seed):
    """A tenth of the places have the same x and y."""
    places, chosen = fields(recurrence(), NEURONS)(seed)
    share = places[:, 1] / SENSOR[1]
    y = np.where(np.arange(NEURONS) % 10 == 0, share * SENSOR[0], places[:, 0])
    return np.stack([y, places[:, 1]], axis=1), chosen


def uneven_polarities(seed):
    """Every tenth of the one polarity goes to the other."""
    places, chosen = fields(inputs(), 216)(seed)
    moved = (chosen >= 108) & (np.random.default_rng(seed).random(chosen.shape) < 0.1)
    return places, chosen - 108 * moved


def from_the_corner(seed):
    """Distances to the corner of a pixel: half a pixel off."""
    places, chosen = fields(inputs(), 216)(seed)
    return np.clip(places - 0.5, 0.0, SENSOR), chosen


def earlier_of_two(seed):
    """One in five chooses the earlier of two draws."""
    random = np.random.default_rng(seed)
    places, chosen = fields(recurrence(), NEURONS)(seed)
    p = weights(places, places)
    np.fill_diagonal(p, 0.0)
    again = one_by_one(random, p, 1)
    return places, np.where(random.random((NEURONS, 1)) < 0.2, np.minimum(chosen, again), chosen)


def uphill(seed):
    """Places are reported 0.3 pixels lower than the rule has them."""
    places, _ = fields(recurrence(), NEURONS)(seed)
    p = weights(places + np.array([0.3, 0.0]), places)
    np.fill_diagonal(p, 0.0)
    return places, one_by_one(np.random.default_rng(seed), p, 1)


def with_replacement(seed):
    """Sets whose weight is the product of their members'."""
    random = np.random.default_rng(seed)
    several = []
    for places, _ in few(recurrence(sensor=(6, 6), k=3))(seed):
        p = of_few_neurons(places)
        sets, _ = law_of_sets(p, 3)
        products = np.prod(p[:, sets], axis=2)
        several.append((places, sets[one_by_one(random, products, 1)[:, 0]]))
    return several


def small_inputs(sigma):
    """Fields of 3 of 8 channels."""
    generate = fields(LocalConnectivity((2, 2), polarities=2, k=3, sigma=sigma), 8)
    return lambda seed: [generate(seed)]


def of_few_channels(places):
    return weights(places, np.tile(pixels((2, 2)), (2, 1)), 0.8)


RECURRENCE = fields(recurrence(), NEURONS)
INPUTS = fields(inputs(), 216)
FIELDS = fields(inputs(k=FIELD_K, sigma=FIELD_SIGMA), 216, N_FIELDS)
WIDER = fields(recurrence(sigma=1.06 * SIGMA), NEURONS)
WIDER_FIELDS = fields(inputs(k=FIELD_K, sigma=1.03 * FIELD_SIGMA), 216, N_FIELDS)
CASES = {
    "places": Case(of_places, RECURRENCE, {"squeezed": squeezed}),
    "places: differences": Case(of_differences, RECURRENCE, {"on a line": on_a_line}),
    "one source: distance": Case(
        of_one_source(by_distance),
        RECURRENCE,
        {
            "sigma 6 % more": WIDER,
            "no 2 in the exponent": fields(recurrence(sigma=SIGMA / np.sqrt(2.0)), NEURONS),
        },
    ),
    "one source: angle": Case(of_one_source(by_angle), RECURRENCE, {"uphill": uphill}),
    "one source: number": Case(
        of_one_source(by_number), RECURRENCE, {"earlier of two": earlier_of_two}
    ),
    "three of seven sources": Case(
        of_sets(of_few_neurons, 3),
        few(recurrence(sensor=(6, 6), k=3)),
        {
            "with replacement": with_replacement,
            "sigma 6 % more": few(recurrence(sensor=(6, 6), k=3, sigma=1.06 * SIGMA)),
        },
    ),
    "one channel: polarity": Case(of_pixel(0), INPUTS, {"uneven": uneven_polarities}),
    "one channel: row": Case(of_pixel(1), INPUTS, {"from the corner": from_the_corner}),
    "one channel: column": Case(of_pixel(2), INPUTS, {"from the corner": from_the_corner}),
    "one channel: distance": Case(
        of_channel, INPUTS, {"sigma 6 % more": fields(inputs(sigma=1.06 * SIGMA), 216)}
    ),
    "three of eight channels": Case(
        of_sets(of_few_channels, 3), small_inputs(0.8), {"sigma 6 % more": small_inputs(0.848)}
    ),
    "spread of fields": Case(of_spread, FIELDS, {"sigma 3 % more": WIDER_FIELDS}),
    "signs": Case(of_negative, signs_of(0.15), {"5 % more": signs_of(0.1575)}),
}


@right_cases(CASES)
def test_sensors(case):
    assert case.complaints(case.right) == []


@wrong_cases(CASES)
def test_wrong_sensors_are_found_out(case, generator):
    assert case.complaints(generator) != []


def test_rate_of_false_alarms_is_as_written():
    assert states_rate(__doc__, len(CASES))
