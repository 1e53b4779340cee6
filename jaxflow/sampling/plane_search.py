"""The search for a boundary: rounds of trials over the slices of a plane, proposed together."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from math import ceil, exp

from jaxflow.core.types import SIZES, Point, Reach, Trial
from jaxflow.sampling.evidence import Evidence, OnSlice, Question
from jaxflow.sampling.grid import ALIKE
from jaxflow.sampling.neighbours import LEAST_SPREAD, SPREAD, distance, growth
from jaxflow.sampling.part import Share
from jaxflow.sampling.plan import rises
from jaxflow.sampling.plane import Lattice, Place, PlanePlan
from jaxflow.sampling.rounds import FIRST_TRIALS, Findings, Rounds
from jaxflow.sampling.slice import Slice
from jaxflow.sampling.threshold import MARGIN, NEAR, ThresholdPlan
from jaxflow.statistics.boundary import BoundaryPosterior, Counts, Where
from jaxflow.statistics.logistic import Guess
from jaxflow.statistics.plane_prior import Prior

OPENING_FLOPS = 1e12  # that a core does while it compiles what a new place needs
FLOPS = 4.0  # of an evaluation, for each sample, input and neuron


class PlaneSearch(Rounds):
    """The trials of one dynamics over a plane: what is proposed, what has ended, what is next."""

    def __init__(
        self, slices: Sequence[Slice], events: Sequence[str] = ("",), share: Share = Share()
    ) -> None:
        first = slices[0]
        super().__init__(first.dynamics, first.along, events, len(first.horizon.labels), share)
        assert isinstance(first.plan, ThresholdPlan)
        self.plan = first.plan
        self._slices = {slice.base: slice for slice in slices}
        self._base = first.base
        axes = self.plan.axes([slice.place for slice in slices])
        self.axes = tuple(axis.name for axis in axes)
        listed = ({slice.place[name] for slice in slices} for name in self.axes)
        lattice = Lattice(tuple(tuple(sorted(values)) for values in listed))
        prior = Prior(axes, self.plan.low, self.plan.high)
        self._planes = {
            event: PlanePlan(lattice, self.plan.of_event(event), prior) for event in events
        }
        self._seen_by_plan, self._of_all = Findings(self), Findings(self)
        self._before: dict[Question, BoundaryPosterior] = {}  # of the last round
        self._posteriors: dict[Question, tuple[int, BoundaryPosterior]] = {}
        self._ends: dict[tuple[Question, Place], float] = {}

    @property
    def title(self) -> str:
        """Which plane it is, in a line of text."""
        place = self._slices[self._base].place
        fixed = (f"{name}={x:g}" for name, x in place.items() if name not in self.axes)
        return " ".join([self.dynamics, *fixed])

    @property
    def slices(self) -> list[Slice]:
        """Those at every place of the lattice."""
        return list(self._slices.values())

    def slice_at(self, point: Point) -> Slice | None:
        """The slice on which a point lies."""
        return self._slices.get(point.moved(self.along, 0))

    @property
    def places(self) -> set[Place]:
        """Where trials have been proposed."""
        return {self._place(trial.point) for trial in self.proposed}

    def posterior(self, question: Question | None = None) -> BoundaryPosterior:
        """The boundary by all trials that have ended; of the last question if none."""
        asked = question or self.questions[-1]
        ended, found = self._posteriors.get(asked, (-1, None))
        if found is None or ended != len(self.ended):
            found = self._posterior(self._of_all.of_all()[asked], found)
            self._posteriors[asked] = len(self.ended), found
        return found

    def widest(self, question: Question | None = None) -> float:
        """Half the width of the band over its median, where it is widest on the lattice."""
        asked = question or self.questions[-1]
        return self._planes[asked.event].widest(self.posterior(asked))

    def _ask(self, seen: int, in_flight: Sequence[Trial]) -> list[tuple[Point, int]]:
        """What the plane asks for of any question; one trial serves them all."""
        flying = Counter(self._place(trial.point) for trial in in_flight)
        told = self._seen_by_plan.of_rounds(seen)
        unknown: dict[Question, list[Place]] = {}
        settled: dict[Question, Where] = {}
        for question, known in told.items():
            plane = self._planes[question.event]
            posterior = self._posterior(known, self._before.get(question))
            self._before[question] = posterior
            unknown[question] = plane.unlocated(posterior)
            settled[question] = plane.settled(posterior)
        wanting = [q for q in self.questions if unknown[q] or not settled[q].all()]
        asked: Counter[Point] = Counter()
        for question in wanting:
            posterior, known = self._before[question], told[question]
            plane, round = self._planes[question.event], len(self.rounds)
            if places := unknown[question]:
                wanted = plane.explore(self._guessed(known, places), places, round)
            else:
                costs = self._cost, _opening(known)
                wanted = plane.ask(
                    posterior, settled[question], round, flying, *costs, share=len(wanting)
                )
            self._note_ends(question, {place for place, _, _ in wanted}, posterior)
            asked |= Counter({self._point(place, x): count for place, x, count in wanted})
        return _first(sorted(asked.items()), self.plan.max_trials - len(self.proposed))

    def _posterior(
        self,
        known: Evidence,
        start: BoundaryPosterior | None,
        guesses: Mapping[Place, Guess] | None = None,
    ) -> BoundaryPosterior:
        plane, found = self._planes[known.question.event], known.by_place(self.axes, self.along)
        counts = [
            Counts(place, found.get(place, OnSlice()).tallies)
            for place in sorted({*found, *(guesses or {})})
        ]
        rising = rises(plane.slice)
        return BoundaryPosterior(counts, plane.prior, rising=rising, guesses=guesses, start=start)

    def _guessed(self, known: Evidence, unknown: Sequence[Place]) -> BoundaryPosterior:
        """The posterior bent by the times at which trials converged, and by the nearest slice."""
        posterior, found = self._before[known.question], known.by_place(self.axes, self.along)
        located = [place for place in found if place not in unknown]
        guesses: dict[Place, Guess] = {}
        for place in unknown:
            guess = found.get(place, OnSlice()).guess or self._by_nearest(place, located, posterior)
            if guess is not None:
                guesses[place] = guess
        return self._posterior(known, posterior, guesses)

    def _by_nearest(
        self, place: Place, located: Sequence[Place], posterior: BoundaryPosterior
    ) -> Guess | None:
        """What a slice that is located says of another, as among slices of their own."""
        if not located:
            return None
        base = self._point(place, 0)
        bases = [self._point(other, 0) for other in located]
        apart = [distance(base, other) for other in bases]
        least = min(apart)
        near = apart.index(least)
        x = posterior.transition(located[near]).median
        x *= growth(bases[near], base, self.along)
        return Guess(min(max(x, self.plan.low), self.plan.high), LEAST_SPREAD + SPREAD * least)

    def _place(self, point: Point) -> Place:
        return tuple(point[name] for name in self.axes)

    def _point(self, place: Place, x: float) -> Point:
        point = self._base
        for name, value in zip(self.axes, place, strict=True):
            point = point.moved(name, value)
        return point.moved(self.along, x)

    def _cost(self, place: Place, x: float) -> float:
        return self._slices[self._point(place, 0)].cost(x)

    def _note_ends(
        self, question: Question, places: Iterable[Place], posterior: BoundaryPosterior
    ) -> None:
        """How far trials go about thresholds located; kept while about the same, for programs."""
        for place in places:
            here = posterior.transition(place)
            if here.relative_half_width <= NEAR:
                end = MARGIN * max(here.interval()[1], here.median * exp(here.width / 2))
                there = self._ends.get((question, place))
                if there is None or not ALIKE < end / there < 1 / ALIKE:
                    self._ends[question, place] = min(ceil(end), self.plan.high)

    def _within(self, point: Point) -> Reach | None:
        """How far the trials go that may share a program with one at a point."""
        if self.along not in SIZES:
            return None
        place, x = self._place(point), point[self.along]
        ends = {end for (_, at), end in self._ends.items() if at == place and end >= x}
        return Reach(self.along, (*sorted(ends), self.plan.high), FIRST_TRIALS)


def _opening(known: Evidence) -> float:
    """What a place at which none has run takes more, in the units of the cost of trials."""
    flops = FLOPS * known.evaluations
    return OPENING_FLOPS * known.allowed / flops if flops else 0.0


def _first(asked: Sequence[tuple[Point, int]], left: int) -> list[tuple[Point, int]]:
    """As many of the trials as are left."""
    kept = []
    for point, count in asked:
        if left > 0:
            kept.append((point, min(count, left)))
        left -= count
    return kept
