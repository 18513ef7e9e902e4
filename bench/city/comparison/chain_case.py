"""The whole chain: the greatest rate that it bears, what it costs at a rate that all bear, and what is lost at kill -9."""
import time

from comparison.chain import CHAINS, SAVES
from comparison.publisher import Publisher
from servers import load

# Messages a second that are tried, about half as much again each.
RATES = [500, 700, 1_000, 1_500, 2_000, 3_000, 4_000, 5_000, 6_000, 8_000, 10_000, 12_000, 15_000, 20_000, 25_000, 30_000, 40_000, 50_000,
         60_000, 80_000, 100_000, 120_000, 150_000, 200_000, 250_000, 300_000]
P99_US_MAX = 1_000_000
BEHIND_SECONDS_MAX = 2
COMMON_RATE = 1_000
KILLS = 3
ALL, AWAY = "all at once", "mosquitto, Node-RED away"


def one_rate(kind, rate, seconds):
    """A fresh chain under a steady load."""
    with kind() as chain:
        before, empty = chain.store.row_count(), chain.bytes()
        used = chain.processor_seconds()
        result = load(chain, "alert", rate=rate, seconds=seconds, alerts=chain.alerts, wait_ms=8000)
        begin = time.monotonic()
        while chain.store.row_count() - before < result["sent"] and time.monotonic() - begin < 10:
            time.sleep(0.1)
        behind = time.monotonic() - begin
        rows = chain.store.row_count() - before
        used = chain.processor_seconds() - used
        lost = max(0, result["sent"] - rows)
        return {"rate": rate, "p50_us": result["p50_us"], "p99_us": result["p99_us"], "alerts_missing": result["missing"], "rows_missing": lost,
                "behind_seconds": behind, "processor_us": used / max(1, rows) * 1e6, "memory": chain.memory(),
                "bytes_per_message": (chain.bytes() - empty) / max(1, rows),
                "is_borne": lost == 0 and result["missing"] == 0 and result["p99_us"] <= P99_US_MAX and behind <= BEHIND_SECONDS_MAX}


def greatest_rate(kind, seconds, guess, say):
    """The greatest of RATES that is borne: from a guess up or down until it changes, so that few are tried."""
    place, best, step = RATES.index(guess), None, 0
    while 0 <= place < len(RATES):
        try:
            result = one_rate(kind, RATES[place], seconds)
        except Exception as error:  # an overloaded part that broke does not bear the rate either
            say(f"  {RATES[place]:,}/s: {str(error)[:200]}")
            result = {"is_borne": False}
        else:
            say(f"  {RATES[place]:,}/s: {'borne' if result['is_borne'] else 'not borne'}, p99 {result['p99_us'] / 1000:.0f} ms, "
                f"{result['rows_missing']:.0f} rows and {result['alerts_missing']:.0f} alerts missing, {result['behind_seconds']:.1f} s behind")
        if result["is_borne"]:
            best = result
        if result["is_borne"] == (step < 0):
            break
        step = 1 if result["is_borne"] else -1
        place += step
    return best


GUESS = {"ficus": 100_000, "influx": 4_000, "victoria": 4_000}


def run_rates(arguments, say):
    results = {}
    for key in arguments.chain or CHAINS:
        kind = CHAINS[key]
        try:
            say(f"{kind.name}:")
            best = greatest_rate(kind, arguments.seconds, GUESS[key], say)
            common = one_rate(kind, COMMON_RATE, 2 * arguments.seconds)
            results[key] = {"name": kind.name, "best": best, "common": common}
            say(f"  at {COMMON_RATE:,}/s: p50 {common['p50_us'] / 1000:.1f} ms, p99 {common['p99_us'] / 1000:.1f} ms, "
                f"{common['processor_us']:.0f} s of processor a million, {common['memory'] / 2**20:.0f} MiB")
        except Exception as error:
            results[key] = {"name": kind.name, "not_measured": str(error)[:300]}
            say(f"  not measured: {error}")
    return results


def lose(chain, part, rate, kills):
    """Kills a part again and again under load; what was acknowledged and is in the history nowhere is lost."""
    publisher = Publisher(chain.mqtt, rate)
    publisher.start()
    for number in range(kills):
        time.sleep(2 + 0.37 * number)
        if part == AWAY:
            chain.parts["Node-RED"].kill()
            time.sleep(2)
            chosen = [chain.broker]
        else:
            chosen = list(chain.parts.values()) if part == ALL else [chain.parts[part]]
        for one in chosen:
            one.kill()
        time.sleep(0.5)
        for one in chain.parts.values():
            if one.process is None:
                one.start()
    time.sleep(2)
    publisher.stop()
    chain.settled(quiet=3)
    lost = publisher.acknowledged - chain.store.trips()
    return {"acknowledged": len(publisher.acknowledged), "lost": len(lost), "kills": kills}


def run_kills(arguments, say):
    """Of every chain every part, and all parts at once; the broker with each of its settings."""
    results = {}
    for key in arguments.chain or CHAINS:
        kind = CHAINS[key]
        results[key] = {"name": kind.name, "parts": {}}
        with_parts = {
            "ficus": [("Ficus", {})],
            "influx": [*(("mosquitto", {"saves": saves}) for saves in SAVES), ("Node-RED", {}), ("InfluxDB", {}),
                       *((part, {"saves": saves}) for part in (AWAY, ALL) for saves in ("half-hourly", "every second"))],
            "victoria": [("VictoriaMetrics", {}), (ALL, {"saves": "every second"})],  # its broker and Node-RED are the same
        }[key]
        for part, options in with_parts:
            label = part + (f" (saves {options['saves']})" if options else "")
            try:
                with kind(**options) as chain:
                    found = lose(chain, part, arguments.kill_rate, KILLS)
                say(f"{kind.name}, kill -9 of {label}: {found['lost']:,} of {found['acknowledged']:,} acknowledged lost")
            except Exception as error:
                found = {"not_measured": str(error)[:300]}
                say(f"{kind.name}, kill -9 of {label}: not measured: {error}")
            results[key]["parts"][label] = found
    return results
