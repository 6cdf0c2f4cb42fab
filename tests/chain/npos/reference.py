"""The two election methods with plain loops over objects and Python's integers: slow, obvious, nothing remembered.

Every step is written as Substrate's crate `sp-npos-elections` describes it, all scores anew in each round.
"""

from __future__ import annotations

from dataclasses import dataclass, field

DENOMINATOR = 2**128 - 1
BILLION = 10**9


@dataclass
class Candidate:
    name: object
    approval: int = 0
    backed: int = 0
    elected: bool = False
    score: int = 0
    below: int = 0


@dataclass
class Edge:
    candidate: Candidate
    load: int = 0
    weight: int = 0


@dataclass
class Voter:
    name: object
    budget: int
    edges: list[Edge] = field(default_factory=list)
    load: int = 0


def prepare(candidates, voters):
    standing = {name: Candidate(name) for name in candidates}
    found = []
    for name, stake, approvals in voters:
        voter = Voter(name, stake)
        for approved in approvals:
            if all(edge.candidate.name != approved for edge in voter.edges):
                standing[approved].approval += stake
                voter.edges.append(Edge(standing[approved]))
        found.append(voter)
    return list(standing.values()), found


def normalise(parts, total):  # noqa: C901, PLR0912 - one rule, told in one piece
    """Move single units (and equal steps) until the parts sum to the total, smallest up first or largest down first."""
    count, difference = len(parts), abs(total - sum(parts))
    if count == 0 or difference == 0:
        return list(parts)
    step, left = difference // count, difference % count
    ranked = [list(item) for item in sorted(enumerate(parts), key=lambda item: item[1])]
    if total > sum(parts):
        at = 0
        for amount in [step] * (count if step else 0) + [1] * left:
            ranked[at][1] += amount
            if ranked[at][1] >= total // count:
                at = (at + 1) % count
    else:
        least, at = ranked[0][1], count - 1
        if step:
            for _ in range(count):
                if ranked[at][1] >= step:
                    ranked[at][1] -= step
                else:
                    left += step - ranked[at][1]
                    ranked[at][1] = 0
                if ranked[at][1] <= least:
                    at = at - 1 if at else count - 1
        while left:
            if ranked[at][1]:
                ranked[at][1] -= 1
                left -= 1
                move = ranked[at][1] <= least
            else:
                move = True
            if move:
                at = at - 1 if at else count - 1
    return [part for _, part in sorted(ranked)]


def spread(voter, edges):
    """Bring the weights of the edges to the voter's budget."""
    for edge, part in zip(edges, normalise([edge.weight for edge in edges], voter.budget), strict=True):
        edge.candidate.backed += part - edge.weight
        edge.weight = part


def balance(voters, iterations, tolerance):
    for iteration in range(iterations):
        if max((balance_voter(voter, tolerance) for voter in voters), default=0) <= tolerance:
            return iteration + 1
    return iterations


def balance_voter(voter, tolerance):
    edges = [edge for edge in voter.edges if edge.candidate.elected]
    if len(edges) <= 1:
        return 0
    backing = [edge.candidate.backed for edge in edges if edge.weight > 0]
    difference = voter.budget
    if backing:
        used = sum(edge.weight for edge in edges)
        difference = max(backing) - min(edge.candidate.backed for edge in edges) + voter.budget - used
        if difference < tolerance:
            return difference
    for edge in edges:
        edge.candidate.backed -= edge.weight
        edge.weight = 0
    ranked = sorted(edges, key=lambda edge: edge.candidate.backed)
    cumulative, last = 0, len(ranked) - 1
    for index, edge in enumerate(ranked):
        if edge.candidate.backed * index - cumulative > voter.budget:
            last = index - 1
            break
        cumulative += edge.candidate.backed
    top, ways = ranked[last].candidate.backed, last + 1
    excess = voter.budget + cumulative - top * ways
    for edge in ranked[:ways]:
        edge.weight = excess // ways + top - edge.candidate.backed
        edge.candidate.backed += edge.weight
    spread(voter, edges)
    return difference


def result(winners, voters):
    assignments = {}
    for voter in voters:
        given = {edge.candidate.name: edge.weight for edge in voter.edges if edge.weight}
        if given:
            assignments[voter.name] = given
    return [(winner.name, winner.backed) for winner in winners], assignments


def seq_phragmen(candidates, voters, seats, balance_iterations=0, tolerance=0):
    winners, voters = phragmen_weights(candidates, voters, seats)
    balance(voters, balance_iterations, tolerance)
    return result(winners, voters)


def phragmen_weights(candidates, voters, seats):  # noqa: C901 - likewise
    standing, voters = prepare(candidates, voters)
    winners = []
    for _ in range(min(seats, len(standing))):
        for candidate in standing:
            if not candidate.elected:
                # No approval: above every score there can be.
                candidate.score = DENOMINATOR // candidate.approval if candidate.approval else 2 * DENOMINATOR
        for voter in voters:
            for edge in voter.edges:
                candidate = edge.candidate
                if not candidate.elected and candidate.approval:
                    more = voter.load * voter.budget // candidate.approval
                    candidate.score = min(candidate.score + more, DENOMINATOR)
        winner = min((one for one in standing if not one.elected), key=lambda one: one.score)
        winner.elected = True
        winners.append(winner)
        for voter in voters:
            for edge in voter.edges:
                if edge.candidate is winner:
                    edge.load = max(winner.score - voter.load, 0)
                    voter.load = winner.score
    for voter in voters:
        for edge in voter.edges:
            if edge.candidate.elected:
                edge.weight = voter.budget * edge.load // voter.load
                edge.candidate.backed += edge.weight
        voter.edges = [edge for edge in voter.edges if edge.weight]
        spread(voter, voter.edges)
    return winners, voters


def phragmms(candidates, voters, seats, balance_iterations=0, tolerance=0):
    standing, voters = prepare(candidates, voters)
    winners = []
    for _ in range(seats):
        winner = best_by_support(standing, voters)
        if winner is None:
            break
        take_seat(winner, voters)
        winner.elected = True
        winners.append(winner)
        balance(voters, balance_iterations, tolerance)
    return result(winners, voters)


def best_by_support(standing, voters):
    for candidate in standing:
        candidate.below = BILLION
    for voter in voters:
        used = 0
        for edge in voter.edges:
            if edge.candidate.elected:
                backed = edge.candidate.backed
                used += BILLION * edge.weight // backed if backed else BILLION
        for edge in voter.edges:
            if not edge.candidate.elected:
                edge.candidate.below += used
    best = None
    for candidate in standing:
        if (
            candidate.approval
            and not candidate.elected
            and (best is None or candidate.approval * best.below > best.approval * candidate.below)
        ):
            best = candidate
    return best


def take_seat(winner, voters):
    cutoff, rest = divmod(winner.approval * BILLION, winner.below)
    if rest > winner.below // 2:
        cutoff += 1
    for voter in voters:
        for own in voter.edges:
            if own.candidate is winner:
                gained = voter.budget - sum(edge.weight for edge in voter.edges)
                for edge in voter.edges:
                    if edge is not own and edge.weight and edge.candidate.backed > cutoff:
                        taken = min(edge.weight * cutoff, DENOMINATOR) // edge.candidate.backed
                        edge.weight -= taken
                        edge.candidate.backed -= taken
                        gained += taken
                own.weight = gained
                winner.backed += gained
