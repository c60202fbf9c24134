"""Computes, with pypet itself, the values that the ports in this folder are compared with.

    PYTHONPATH=<pypet 0.7.0> python3 values.py > values.json

It needs pypet with numpy, pandas and PyTables. Every experiment is one of pypet's own examples in small: the same
features, and algorithms that need no other package. Random numbers come from the generator `Lehmer`, which the ports
have, too.
"""

import json
import math
import multiprocessing as mp
import os
import sys
import tempfile

import numpy as np
import pandas as pd

from pypet import (
    ArrayParameter,
    Environment,
    MultiprocContext,
    NotUniqueNodeError,
    Parameter,
    Trajectory,
    cartesian_product,
    manual_run,
)

HERE = tempfile.mkdtemp()


class Lehmer:
    """x -> 16807 x mod 2^31 - 1, exact in doubles."""

    def __init__(self, seed):
        self.state = seed

    def uniform(self):
        self.state = self.state * 16807 % 2147483647
        return self.state / 2147483647

    def below(self, n):
        return int(self.uniform() * n)


def path(name):
    return os.path.join(HERE, name + ".hdf5")


def environment(name, **options):
    return Environment(
        trajectory=name, filename=path(name), overwrite_file=True, log_config=None, add_time=False, **options
    )


def multiply(traj):
    traj.f_add_result("z", traj.x * traj.y, comment="the product")


def product_of(name, xs, ys, job=multiply, **options):
    env = environment(name, **options)
    traj = env.trajectory
    traj.f_add_parameter("x", xs[0], comment="first factor")
    traj.f_add_parameter("y", ys[0], comment="second factor")
    traj.f_explore(cartesian_product({"x": xs, "y": ys}))
    env.run(job)
    return env


def loaded(name, **levels):
    traj = Trajectory(name, add_time=False, filename=path(name))
    traj.f_load(name=name, **{"load_parameters": 2, "load_derived_parameters": 2, "load_results": 2, **levels})
    return traj


def example_01():
    product_of("first", [1, 2, 3, 4], [6, 7, 8])
    traj = loaded("first")
    return {"z": list(traj.f_get_from_runs("z", fast_access=True).values()), "run_1": traj.run_00000001.z}


def example_02():
    traj = Trajectory("access", add_time=False, filename=path("access"), overwrite_file=True)
    traj.f_add_parameter("starwars.characters.han_solo", "Harrison Ford")
    luke = traj.characters.f_add_parameter("luke_skywalker", "Mark Hamill", comment="May the force be with you!")
    full_name = luke.v_full_name
    traj.f_add_parameter_group("spaceballs.characters")
    try:
        traj.characters
        is_ambiguous = False
    except NotUniqueNodeError:
        is_ambiguous = True
    traj.f_store()
    traj.f_add_result("starwars.gross_income_of_film", amount=775398007.5, currency="$$$")
    traj.f_store_item("gross_income_of_film")
    traj.gross_income_of_film.f_empty()
    again = loaded("access", load_results=1)
    is_empty = again.gross_income_of_film.f_is_empty()
    again.f_load_item("gross_income_of_film")
    return {
        "full_name": full_name,
        "is_ambiguous": is_ambiguous,
        "luke": again.luke_skywalker,
        "is_empty": is_empty,
        "amount": again.gross_income_of_film.amount,
        "currency": again.gross_income_of_film.currency,
    }


def example_03():
    one = product_of("one", [1.0, 2.0, 3.0, 4.0], [6.0, 7.0, 8.0]).trajectory
    # Both in one file, as in the example.
    env = Environment(trajectory="two", filename=path("one"), log_config=None, add_time=False)
    two = env.trajectory
    two.f_add_parameter("x", 1.0, comment="first factor")
    two.f_add_parameter("y", 1.0, comment="second factor")
    two.f_explore(cartesian_product({"x": [3.0, 4.0, 5.0, 6.0], "y": [7.0, 8.0, 9.0]}))
    env.run(multiply)
    one.f_merge(two, remove_duplicates=True, backup=False, move_data=True, delete_other_trajectory=True)
    one.f_load(load_parameters=2, load_results=2)
    points = []
    for run in one.f_get_run_names():
        one.f_set_crun(run)
        points.append([one.x, one.y, one.crun.z])
    one.f_restore_default()
    return {"points": points}


def example_04():
    product_of("many", [float(x) for x in range(20)], [float(y) for y in range(20)])
    zs = list(loaded("many").f_get_from_runs("z", fast_access=True).values())
    return {"count": len(zs), "sum": sum(zs), "last": zs[-1]}


def lorenz(value, sigma, beta, rho):
    return np.array(
        [sigma * (value[1] - value[0]), value[0] * (rho - value[2]) - value[1], value[0] * value[1] - beta * value[2]]
    )


def roessler(value, a, c):
    return np.array([-value[1] - value[2], value[0] + a * value[1], a + value[2] * (value[0] - c)])


def euler(traj, equation):
    result = np.zeros((traj.steps, len(traj.initial_conditions)))
    result[0] = traj.initial_conditions
    constants = traj.func_params.f_to_dict(short_names=True, fast_access=True)
    for step in range(1, traj.steps):
        result[step] = equation(result[step - 1], **constants) * traj.dt + result[step - 1]
    traj.f_add_result("euler_evolution", data=result, comment="the time series")


STARTS = [[0.01, 0.01, 0.01], [2.02, 0.02, 0.02], [42.0, 4.2, 0.42]]


def add_differential(traj):
    traj.f_add_parameter("steps", 200)
    traj.f_add_parameter("dt", 0.01)
    traj.f_add_parameter(ArrayParameter, "initial_conditions", np.zeros(3))
    traj.f_add_parameter("diff_name", "lorenz")
    if traj.diff_name == "lorenz":
        traj.f_add_parameter("func_params.sigma", 10.0)
        traj.f_add_parameter("func_params.beta", 8.0 / 3.0)
        traj.f_add_parameter("func_params.rho", 28.0)
    else:
        traj.f_add_parameter("func_params.a", 0.1)
        traj.f_add_parameter("func_params.c", 14.0)


def differential(name, preset=None):
    env = environment(name)
    traj = env.trajectory
    if preset is not None:
        traj.f_preset_parameter("diff_name", preset)
    add_differential(traj)
    traj.f_explore({"initial_conditions": [np.array(start) for start in STARTS]})
    env.run(euler, lorenz if traj.diff_name == "lorenz" else roessler)
    traj = loaded(name)
    ends = [traj.results.f_get(run).euler_evolution.data[-1].tolist() for run in traj.f_get_run_names()]
    return {"diff_name": traj.diff_name, "shape": list(traj.f_get("r_0.euler_evolution").data.shape), "ends": ends}


def example_05():
    return differential("lorenz")


def example_06():
    return differential("roessler", "roessler")


def example_08():
    product_of("find", [1, 2, 3, 4], [6, 7, 8])
    traj = loaded("find")
    found = []
    for idx in traj.f_find_idx(["x", "y"], lambda x, y: x == 2 or y == 8):
        traj.v_idx = idx
        found.append([traj.v_crun, traj.x, traj.y, traj.crun.z])
    return {"found": found}


def example_09():
    traj = Trajectory("huge", add_time=False, filename=path("huge"), overwrite_file=True)
    mat1 = np.arange(1000.0).reshape(10, 10, 10) / 7
    traj.f_add_result("huge_matrices", mat1=mat1, mat2=np.ones((100, 10)))
    traj.f_store()
    traj.huge_matrices.f_empty()
    is_empty = traj.huge_matrices.f_is_empty()
    traj.huge_matrices.f_set(monty="Always look on the bright side of life!")
    traj.f_store_item("huge_matrices")
    again = loaded("huge", load_results=1)
    again.f_load_item("huge_matrices", load_only=["monty", "mat1"])
    return {
        "is_empty": is_empty,
        "items": sorted(again.huge_matrices.f_to_dict()),
        "monty": again.huge_matrices.monty,
        "shape": list(again.huge_matrices.mat1.shape),
        "element": again.huge_matrices.mat1[3, 4, 5],
    }


def example_10():
    product_of("mesh", list(range(12)), list(range(12)))
    traj = loaded("mesh")
    zs = list(traj.f_get_from_runs("z", fast_access=True).values())
    return {"x_range": list(traj.f_get("x").f_get_range())[:13], "rows": np.reshape(zs, (12, 12)).sum(1).tolist()}


def into_list(traj, shared):
    shared[traj.v_idx] = traj.x * traj.y


def example_12():
    env = environment("shared")
    traj = env.trajectory
    traj.f_add_parameter("x", 1)
    traj.f_add_parameter("y", 1)
    traj.f_explore(cartesian_product({"x": [1, 2, 3, 4], "y": [6, 7, 8]}))
    shared = [0] * len(traj)
    env.run(into_list, shared)
    traj.f_add_result("z", np.array(shared))
    traj.f_store()
    return {"z": loaded("shared").z.tolist()}


def run_neuron(traj):
    steps = int(traj.par.simulation.duration / traj.par.simulation.dt)
    voltage = np.zeros(steps)
    voltage[0] = traj.par.neuron.V_init
    dt = traj.par.simulation.dt
    spikes = []
    for step in range(1, steps):
        if voltage[step - 1] >= 1:
            voltage[step] = 0
            spikes.append((step - 1) * dt)
        elif spikes and step * dt - spikes[-1] <= traj.par.neuron.tau_ref:
            voltage[step] = 0
        else:
            slope = -1 / traj.par.neuron.tau_V * voltage[step - 1] + traj.par.neuron.I
            voltage[step] = voltage[step - 1] + slope * dt
    traj.f_add_result("neuron.$", V=voltage, nspikes=len(spikes))
    return len(spikes) / traj.par.simulation.duration * 1000


def rates_table(traj, results):
    currents = traj.par.neuron.f_get("I").f_get_range()
    refractory = traj.par.neuron.f_get("tau_ref").f_get_range()
    frame = pd.DataFrame(index=sorted(set(currents)), columns=sorted(set(refractory)), dtype=float)
    for run, rate in results:
        frame.loc[currents[run], refractory[run]] = rate
    traj.f_add_result("summary.firing_rates", rates_frame=frame)


def example_13():
    env = environment("FiringRate")
    traj = env.trajectory
    for name, value in (("V_init", 0.0), ("I", 0.0), ("tau_V", 10.0), ("tau_ref", 5.0)):
        traj.f_add_parameter("neuron." + name, value)
    traj.f_add_parameter("simulation.duration", 200.0)
    traj.f_add_parameter("simulation.dt", 0.1)
    explored = {"neuron.I": [0.0, 0.25, 0.5, 0.75, 1.0], "neuron.tau_ref": [5.0, 7.5, 10.0]}
    traj.f_explore(cartesian_product(explored, ("neuron.tau_ref", "neuron.I")))
    env.add_postprocessing(rates_table)
    env.run(run_neuron)
    traj = loaded("FiringRate", load_results=0)
    traj.v_auto_load = True
    rates = traj.res.summary.firing_rates.rates_frame
    traj.v_idx = 13
    voltage = traj.results.neuron.crun.V
    return {
        "index": rates.index.tolist(),
        "columns": rates.columns.tolist(),
        "rates": rates.values.tolist(),
        "run_13": {"I": traj.I, "tau_ref": traj.tau_ref, "nspikes": traj.results.neuron.crun.nspikes},
        "voltage_50": voltage[50],
        "length": len(voltage),
    }


def multiply_links(traj):
    traj.f_add_result("runs.$.z", traj.mylink1 * traj.mylink2)


def example_14():
    env = environment("links")
    traj = env.trajectory
    traj.par.x = Parameter("x", 1, "I am the first dimension!")
    traj.par.y = Parameter("y", 2, "I am the second dimension!")
    traj.f_explore({"x": [3, 4]})
    traj.f_add_link("mylink1", traj.f_get("x"))
    traj.f_add_link("parameters.mynewgroup.mylink2", traj.f_get("y"))
    env.run(multiply_links)
    return {"z": list(loaded("links").f_get_from_runs("z", fast_access=True).values())}


def example_15():
    traj = Trajectory("ways", add_time=False)
    traj.f_add_parameter("x", 1)
    traj.parameters.y = Parameter("y", 2)
    traj.parameters.t = Parameter("", 3)
    traj.parameters.subgroup = Parameter("subgroup.subsubgroup.w", 4)
    traj.mylink = traj.f_get("x")
    return {
        "names": sorted(traj.f_get_parameters()),
        "w": traj.par.subgroup.subsubgroup.w,
        "mylink": traj.mylink,
    }


def change_result(traj):
    traj.f_get("last_process_name").f_set(mp.current_process().name)
    traj.results.f_store(store_data=3)


def example_16():
    traj = Trajectory("processes", add_time=False, filename=path("processes"), overwrite_file=True)
    traj.f_add_result("last_process_name", "N/A")
    traj.f_store()
    names = ["ForkPoolWorker-1", "ForkPoolWorker-2", "ForkPoolWorker-3"]
    with MultiprocContext(trajectory=traj, wrap_mode="LOCK"):
        processes = [mp.Process(target=change_result, args=(traj,), name=name) for name in names]
        for process in processes:
            process.start()
        for process in processes:
            process.join()
    traj.results.f_load(load_data=3)
    return {"codes": [process.exitcode for process in processes], "isOneOfThem": traj.last_process_name in names}


def rule_bits(rule):
    return [rule // 2**bit % 2 for bit in range(8)]


def initial_state(name, count, seed):
    state = [0] * count
    if name == "single":
        state[count // 2] = 1
        return state
    random = Lehmer(seed)
    return [random.below(2) for _ in state]


def automaton(traj):
    rule = rule_bits(traj.rule_number)
    rows = [initial_state(traj.initial_name, traj.ncells, traj.seed)]
    for _ in range(traj.steps - 1):
        last = rows[-1]
        count = len(last)
        rows.append([rule[last[i - 1] + 2 * last[i] + 4 * last[(i + 1) % count]] for i in range(count)])
    traj.f_add_result("pattern", np.array(rows, dtype=float), comment="the pattern over time")


def example_17():
    env = environment("cellular_automata")
    traj = env.trajectory
    for name, value in (
        ("ncells", 40),
        ("steps", 25),
        ("rule_number", 30),
        ("initial_name", "random"),
        ("seed", 100042),
    ):
        traj.f_add_parameter(name, value)
    traj.f_explore(
        cartesian_product({"rule_number": [10, 30, 90, 110, 184], "initial_name": ["single", "random"]})
    )
    env.run(automaton)
    traj = loaded("cellular_automata")
    names, living = [], []
    for _ in traj.f_iter_runs():
        explored = traj.f_get_explored_parameters().values()
        named = {parameter.v_name: str(parameter.f_get()) for parameter in explored}
        names.append("__".join(f"{name}_{named[name]}" for name in sorted(named)) + ".png")
        living.append(traj.crun.pattern.sum())
    return {"names": names, "living": living}


def multiply_in_sets(traj):
    traj.f_add_result("$set.$.z", traj.x * traj.y, comment="the product, in buckets of 1000 runs")


def example_18():
    product_of("buckets", list(range(45)), list(range(25)), multiply_in_sets)
    traj = loaded("buckets", load_results=0)
    traj.v_auto_load = True
    traj.v_idx = 1042
    by_wildcard = traj.res.crunset.crun.z
    full_name = traj.res.crunset.crun.f_get("z").v_full_name
    traj.v_idx = -1
    return {"by_wildcard": by_wildcard, "by_shortcut": traj.res.rts_1044.r_1044.z, "full_name": full_name}


class OneMax:
    """A genetic algorithm that looks for the individual of ones: tournaments, crossover of two points, flipped bits."""

    POPULATION = 10
    LENGTH = 12
    GENERATIONS = 4

    def __init__(self):
        self.random = Lehmer(42)
        self.individuals = [[self.random.below(2) for _ in range(self.LENGTH)] for _ in range(self.POPULATION)]
        self.fitness = [None] * self.POPULATION
        self.history = []

    def unknown(self):
        return [index for index in range(self.POPULATION) if self.fitness[index] is None]

    def learn(self, fitnesses):
        evaluated = self.unknown()
        for index, fitness in zip(evaluated, fitnesses, strict=True):
            self.fitness[index] = fitness
        self.history.append({"evaluated": len(evaluated), "best": max(self.fitness), "sum": sum(self.fitness)})

    def breed(self):
        chosen = []
        for _ in range(self.POPULATION):
            rivals = [self.random.below(self.POPULATION) for _ in range(3)]
            best = rivals[0]
            for rival in rivals[1:]:
                if self.fitness[rival] > self.fitness[best]:
                    best = rival
            chosen.append(best)
        individuals = [list(self.individuals[index]) for index in chosen]
        fitness = [self.fitness[index] for index in chosen]
        for index in range(0, self.POPULATION, 2):
            if self.random.uniform() < 0.5:
                ends = sorted((self.random.below(self.LENGTH), self.random.below(self.LENGTH)))
                one, two = individuals[index], individuals[index + 1]
                one[ends[0] : ends[1]], two[ends[0] : ends[1]] = two[ends[0] : ends[1]], one[ends[0] : ends[1]]
                fitness[index] = fitness[index + 1] = None
        for index in range(self.POPULATION):
            if self.random.uniform() < 0.2:
                bit = self.random.below(self.LENGTH)
                individuals[index][bit] = 1 - individuals[index][bit]
                fitness[index] = None
        self.individuals, self.fitness = individuals, fitness


def evaluate_argument(traj, individual):
    traj.f_add_result("$set.$.individual", list(individual))
    traj.f_add_result("$set.$.fitness", sum(individual))
    return sum(individual)


def add_evolution(traj, is_explored=False):
    traj.f_add_parameter("generation", 0)
    traj.f_add_parameter("ind_idx", 0)
    if is_explored:
        traj.f_add_derived_parameter("individual", [0] * OneMax.LENGTH)
        traj.f_add_result("fitnesses", [])


def evolution_of(name):
    traj = loaded(name)
    fitness = list(traj.f_get_from_runs("fitness", fast_access=True).values())
    return {"runs": len(traj), "fitness": fitness, "completed": traj.f_is_completed()}


def example_19():
    env = environment("deap", automatic_storing=False)
    traj = env.trajectory
    add_evolution(traj)
    search = OneMax()
    for generation in range(OneMax.GENERATIONS):
        unknown = search.unknown()
        traj.f_expand(cartesian_product({"generation": [generation], "ind_idx": list(range(len(unknown)))}))
        results = env.run_map(evaluate_argument, [search.individuals[index] for index in unknown])
        search.learn([fitness for _, fitness in results])
        if generation < OneMax.GENERATIONS - 1:
            search.breed()
    traj.f_store()
    return {"history": search.history, "runs": len(loaded("deap"))}


def evaluate_parameter(traj):
    return sum(traj.individual)


def population_points(search, generation):
    unknown = search.unknown()
    return cartesian_product(
        {
            "generation": [generation],
            "ind_idx": list(range(len(unknown))),
            "individual": [list(search.individuals[index]) for index in unknown],
        },
        [("ind_idx", "individual"), "generation"],
    )


def explored_individuals(name):
    traj = loaded(name)
    parameter = traj.f_get("individual")
    return {
        "runs": len(traj),
        "fitnesses": list(traj.fitnesses),
        "individuals": [list(map(int, individual)) for individual in parameter.f_get_range()],
    }


def example_19b():
    env = environment("deap_b", automatic_storing=False)
    traj = env.trajectory
    add_evolution(traj, is_explored=True)
    search = OneMax()
    fitnesses = []
    for generation in range(OneMax.GENERATIONS):
        traj.f_expand(population_points(search, generation))
        results = [fitness for _, fitness in env.run(evaluate_parameter)]
        search.learn(results)
        fitnesses.extend(results)
        if generation < OneMax.GENERATIONS - 1:
            search.breed()
    traj.f_get("fitnesses").f_set(fitnesses)
    traj.f_store()
    return {"history": search.history, **explored_individuals("deap_b")}


def example_19c():
    env = environment("deap_c")
    traj = env.trajectory
    add_evolution(traj, is_explored=True)
    search = OneMax()
    fitnesses = []
    traj.f_explore(population_points(search, 0))

    def breed(traj, results):
        latest = [fitness for _, fitness in results[len(fitnesses) :]]
        search.learn(latest)
        fitnesses.extend(latest)
        if len(search.history) < OneMax.GENERATIONS:
            search.breed()
            traj.f_expand(population_points(search, len(search.history)))
        else:
            traj.f_get("fitnesses").f_set(fitnesses)

    env.add_postprocessing(breed)
    env.run(evaluate_parameter)
    return {"history": search.history, **explored_individuals("deap_c")}


@manual_run(store_meta_data=True)
def evaluate_by_hand(traj, individual):
    traj.f_add_result("$set.$.individual", list(individual))
    traj.f_add_result("$set.$.fitness", sum(individual))
    traj.f_store()
    return sum(individual)


def example_20():
    traj = Trajectory("onemax", add_time=False, filename=path("onemax"), overwrite_file=True)
    add_evolution(traj)
    traj.f_store(only_init=True)
    search = OneMax()
    start = 0
    for generation in range(OneMax.GENERATIONS):
        unknown = search.unknown()
        traj.f_expand(cartesian_product({"generation": [generation], "ind_idx": list(range(len(unknown)))}))
        runs = traj.f_iter_runs(start, yields="copy")
        search.learn(
            [evaluate_by_hand(run, search.individuals[index]) for run, index in zip(runs, unknown, strict=True)]
        )
        start += len(unknown)
        if generation < OneMax.GENERATIONS - 1:
            search.breed()
    traj.f_store()
    return {"history": search.history, **evolution_of("onemax")}


def run_network(traj):
    """Adaptive exponential integrate-and-fire neurons that share nothing but their currents, each with a reset of its own."""
    net = traj.net
    count, dt = net.N, 0.1
    reset = [-48.3 + 0.6 * index / (count - 1) for index in range(count)]
    v = [net.EL] * count
    w = [0.0] * count
    times, who, trace = [], [], []
    for step in range(net.steps):
        for index in range(count):
            slope = (
                net.gL * (net.EL - v[index])
                + net.gL * net.DeltaT * math.exp((v[index] - net.VT) / net.DeltaT)
                + net.I
                - w[index]
            ) / net.C
            dw = (net.a * (v[index] - net.EL) - w[index]) / net.tauw
            v[index] += slope * dt
            w[index] += dw * dt
            if v[index] > 0:
                v[index] = reset[index]
                w[index] += net.b
                times.append(step * dt)
                who.append(index)
        trace.append(v[1:3])
    traj.f_add_result("spikes", times=np.array(times), neurons=np.array(who))
    traj.f_add_result("voltage", np.array(trace))


def example_23():
    env = environment("network")
    traj = env.trajectory
    for name, value in (
        ("C", 281.0),
        ("gL", 30.0),
        ("EL", -70.6),
        ("VT", -50.4),
        ("DeltaT", 2.0),
        ("tauw", 40.0),
        ("a", 4.0),
        ("b", 80.0),
        ("I", 800.0),
        ("N", 5),
        ("steps", 1500),
    ):
        traj.f_add_parameter("net." + name, value)
    traj.f_explore(
        cartesian_product({traj.f_get("N").v_full_name: [5, 6], traj.f_get("tauw").v_full_name: [30.0, 40.0]})
    )
    env.run(run_network)
    traj = loaded("network")
    counts, shapes = [], []
    for run in traj.f_get_run_names():
        spikes = traj.results.f_get(run).spikes
        counts.append(len(spikes.times))
        shapes.append(list(traj.results.f_get(run).voltage.shape))
    return {"counts": counts, "shapes": shapes}


def run_clusters(traj):
    """Spiking neurons in two clusters; trials give the Fano factor of their counts."""
    model = traj.parameters.model
    random = Lehmer(traj.seed)
    size = model.N_e // model.clusters
    counts = []
    for _ in range(model.trials):
        activity = [0.0] * model.N_e
        count = [0] * model.N_e
        for _step in range(model.steps):
            means = [
                sum(activity[cluster * size : (cluster + 1) * size]) / size for cluster in range(model.clusters)
            ]
            for neuron in range(model.N_e):
                drive = model.rate * (1 + traj.R_ee * means[neuron // size])
                activity[neuron] = 1.0 if random.uniform() < drive else 0.0
                count[neuron] += int(activity[neuron])
        counts.append(count)
    traj.f_add_result("counts", np.array(counts))
    traj.f_add_result("fano_factor", fano_factor(counts))


def fano_factor(counts):
    factors = []
    for neuron in range(len(counts[0])):
        values = [count[neuron] for count in counts]
        mean = sum(values) / len(values)
        variance = sum((value - mean) * (value - mean) for value in values) / len(values)
        if mean > 0:
            factors.append(variance / mean)
    return sum(factors) / len(factors)


def example_24():
    env = environment("clusters")
    traj = env.trajectory
    traj.f_add_parameter("simulation.scale", 1.0)
    traj.f_add_parameter("model.N_e", int(20 * traj.simulation.scale))
    for name, value in (("clusters", 2), ("trials", 6), ("steps", 30), ("rate", 0.1)):
        traj.f_add_parameter("model." + name, value)
    traj.f_add_parameter("connections.R_ee", 1.0)
    traj.f_add_parameter("seed", 7)
    traj.f_explore({"R_ee": [1.0, 1.5, 2.0, 2.5]})
    traj.f_store()
    env.run(run_clusters)
    traj = loaded("clusters")
    return {"fano_factors": list(traj.f_get_from_runs("fano_factor", fast_access=True).values())}


EXAMPLES = (
    "01 02 03 04 05 06 08 09 10 12 13 14 15 16 17 18 19 19b 19c 20 23 24".split()
    if len(sys.argv) < 2
    else sys.argv[1:]
)


def plain(value):
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(type(value))


json.dump({name: globals()["example_" + name]() for name in EXAMPLES}, sys.stdout, indent=1, default=plain)
