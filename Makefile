# make help lists the doors. Two matter: `make run` and `make test`.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
WEB := central/web
# Tests start hundreds of processes, which find what is compiled here wherever they are run.
COMPILED := PYTHONDONTWRITEBYTECODE=
ARGS ?=
CAMERA ?=

WEB_SOURCES := $(shell find $(WEB)/src $(WEB)/public $(WEB)/index.html $(WEB)/vite.config.ts 2>/dev/null)
# Pure code: what decides, without input or output. Its branches are covered to at least 95 %.
PURE := protocol/address.py,protocol/clock.py,protocol/codec.py,protocol/ids.py,protocol/messages.py,protocol/reasons.py,protocol/refusal.py,protocol/relay.py,protocol/topics.py,edge/media/*,edge/alarm/*,edge/recording/retention.py,edge/recording/coverage.py,edge/recording/finding.py,edge/previews/cache.py,edge/previews/sheet.py,edge/bus/window.py,edge/bus/backoff.py,edge/web/playlist.py,central/alerts/states.py,central/alerts/fold.py,central/incidents/states.py,central/duty/resolve.py,central/duty/pattern.py,central/activities/plan.py,central/activities/rule.py,central/examples/rule.py,central/examples/frame.py,models/boxes.py,models/yolo_output.py,protocol/actor.py,edge/recording/manifest.py,edge/db/mount.py,edge/soundness.py,edge/recording/hold_rules.py,edge/alerts/curve.py,edge/alerts/order.py,edge/alerts/piece.py,edge/alerts/gate.py,edge/alerts/budget.py,edge/recording/fitting.py,central/evidence/leftover.py,central/evidence/naming.py,central/evidence/span.py,edge/crowds/quarter.py,edge/crowds/suggestion.py,edge/detect/fault.py,edge/detect/picture.py,edge/detect/picture_health.py,edge/detect/stillness.py,edge/detect/motion.py,edge/detect/repeat.py,edge/detect/pending.py,edge/detect/wire.py,edge/detect/schedule.py,models/evaluation/mark.py,models/training/yolo/agreement.py,models/training/fire/targets.py,models/training/fire/augment.py,models/training/fire/hard.py,models/training/fire/kindle.py,central/delivery/chain.py,central/delivery/gaps.py,central/fleet/rule.py,central/quarantine/excerpt.py,edge/rtsp/*,edge/bus/limits.py,edge/template.py,edge/toml_text.py,central/fleet/clock.py,protocol/commands.py,protocol/shapes.py,central/commands/states.py,edge/cameras/door.py,edge/cameras/soap.py,edge/cameras/camera_clock.py,edge/cameras/event.py,edge/cameras/reading.py,edge/cameras/sighting.py,edge/cameras/codec_report.py,edge/doctor/finding.py,edge/doctor/redaction.py,edge/doctor/rtsp_hint.py,edge/doctor/box.py,edge/doctor/broker.py,edge/doctor/camera.py,edge/doctor/centre.py,edge/doctor/certificate.py,edge/doctor/clock.py,edge/doctor/disk.py,edge/doctor/model.py,edge/doctor/network.py,edge/section.py,edge/settings/layer.py,edge/settings/tuning.py,edge/settings/difference.py,edge/settings/trial.py,edge/settings/version.py,edge/enrolment/advice.py,edge/enrolment/draft.py,edge/enrolment/errand.py,edge/enrolment/faults.py,edge/enrolment/plan.py,edge/enrolment/profiles.py,edge/enrolment/request.py,edge/enrolment/sheet.py,central/points/states.py,central/points/filing.py,central/points/picture.py,edge/ingest/jpeg_reader.py,edge/fingerprint.py,central/enrolment/deeds.py

.PHONY: help run test lint types fmt smoke bench bench-record chaos-record chaos-delivery fuzz eval docs web system clean bench-preview bench-review bench-detect bench-delivery bench-fleet eval-pictures eval-fire onvif-rogue onvif-peers bench-onvif screenshots

help: ## list the doors
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sort | awk -F':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

run: $(VENV)/.run $(WEB)/dist/index.html ## a whole village here: demo cameras, or CAMERA="rtsp://…" (repeatable by spaces)
	@exec $(PY) -m village run $(foreach url,$(CAMERA),--camera '$(url)') $(ARGS)

test: $(VENV)/.dev $(WEB)/dist/index.html system ## set up and run every test; the pure code's coverage is a gate
	$(COMPILED) $(PY) -m pytest -n 3 --dist loadfile --no-loadscope-reorder --cov --cov-report= $(ARGS)
	$(PY) -m coverage report --include='$(PURE)' --fail-under=95 --skip-covered
	@. .ci/node && cd $(WEB) && npm test --silent

lint: $(VENV)/.dev $(WEB)/node_modules/.installed ## style and house rules, Python and TypeScript
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	@. .ci/node && cd $(WEB) && npm run --silent lint

types: $(VENV)/.dev ## strict types over every package
	$(VENV)/bin/mypy

fmt: $(VENV)/.dev ## lay the code out
	$(VENV)/bin/ruff format .
	$(VENV)/bin/ruff check --fix .

smoke: $(VENV)/.dev $(WEB)/dist/index.html system ## the whole line with the demo footage; ARGS=--kill, --model NAME, --loops N
	@$(PY) -m bench.smoke $(ARGS)

bench: $(VENV)/.dev ## the whole edge beside ffmpeg and Motion; ARGS=--seconds N
	@.ci/system-packages bench
	@$(PY) -m bench.edge $(ARGS)

screenshots: $(VENV)/.dev $(WEB)/dist/index.html system ## the README's pictures anew, of the demo village; ARGS="--folder DIR"
	@$(PY) -m bench.screenshots $(ARGS)

bench-record: $(VENV)/.dev ## recording alone beside ffmpeg and Motion; ARGS=--repeats N, --seconds N, --cameras N
	@.ci/system-packages bench
	@$(PY) -m bench.record $(ARGS)

bench-review: $(VENV)/.dev $(WEB)/dist/index.html system ## playback of real footage in Chromium: seeks, gap, export; ARGS=--seeks N
	@$(PY) -m bench.review $(ARGS)

chaos-record: $(VENV)/.dev ## kill, starve and cut off the recorder, then judge its archive; ARGS=--rounds N, --flaps N
	@.ci/system-packages chaos
	@$(PY) -m bench.chaos_record $(ARGS)

chaos-delivery: $(VENV)/.dev system ## kill box, broker, centre and database, then count alerts; ARGS="--rounds N --minutes M"
	@$(PY) -m bench.chaos_delivery $(ARGS)

bench-delivery: $(VENV)/.dev system ## alerts/s beside broker and database, time to the wall, a storm; ARGS="--boxes N --events N"
	@$(PY) -m bench.delivery_speed $(ARGS)

bench-fleet: $(VENV)/.dev system ## simulated boxes at a real centre; ARGS="--boxes N --seconds N --alerts-per-s N --storms N"
	@$(PY) -m bench.fleet_run $(ARGS)

fuzz: $(VENV)/.dev ## damaged recordings, streams and messages against what reads them; ARGS=--seconds N
	@$(PY) -m bench.fuzz $(ARGS)

bench-preview: $(VENV)/.dev ## what a small picture of recorded video costs; ARGS=--pictures N
	@$(PY) -m bench.previews $(ARGS)

eval-pictures: $(VENV)/.dev ## cameras that are covered, blurred, turned, frozen; and dusk, rain, headlights; ARGS=--data DIR
	@$(PY) -m bench.picture_health $(ARGS)

eval: $(VENV)/.dev ## models and whole rules over all labelled footage; ARGS=--data DIR, --onnx FILE
	@$(PY) -m bench.evaluate $(ARGS)

bench-detect: $(VENV)/.dev ## what looking costs, beside a plain script (ARGS="--python PATH": one that has ultralytics)
	@$(PY) -m bench.detect $(ARGS)

eval-fire: $(VENV)/.dev ## flame and smoke on labelled pictures and clips; ARGS=--data DIR, --onnx FILE, --baselines
	@$(PY) -m bench.fire $(ARGS)

onvif-rogue: $(VENV)/.dev ## hostile and broken cameras against the wrapper: kind, seconds, bytes of each
	@$(PY) -m bench.rogue_devices $(ARGS)

onvif-peers: $(VENV)/.dev ## ONVIF devices that others wrote, found, asked and played; prints what was said
	@.ci/system-packages peers
	@.ci/onvif-peers $(PYTHON)
	@$(PY) -m bench.onvif_peers $(ARGS)

bench-onvif: $(VENV)/.dev ## 30 cameras in one process, beside bare onvif-zeep; ARGS=--cameras N
	@$(PY) -m bench.onvif_cost $(ARGS)

docs: $(VENV)/.dev ## check that the documentation is true: links, examples, keys
	$(PY) -m pytest -k 'docs or example or architecture' $(ARGS)

web: $(WEB)/dist/index.html ## build the interface

clean: ## remove what was built; the data folder stays
	rm -rf $(VENV) $(WEB)/dist $(WEB)/node_modules .pytest_cache .mypy_cache .ruff_cache .coverage

system: ## install what the tests need from the system, where that may be done
	@.ci/system-packages

$(PY):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; PYTHON=… names another one"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "on Debian and Ubuntu: apt-get install python3-venv"; exit 1; }

$(VENV)/.run: $(PY) pyproject.toml
	@echo "installing the Python packages …"
	@$(PY) -m pip install --quiet --disable-pip-version-check -e .
	@touch $@

$(VENV)/.dev: $(PY) pyproject.toml
	@echo "installing the Python packages for development …"
	@$(PY) -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@ $(VENV)/.run

$(WEB)/node_modules/.installed: $(WEB)/package-lock.json | $(PY)
	@echo "installing the interface's packages …"
	@. .ci/node && cd $(WEB) && npm ci --silent --no-audit --no-fund
	@touch $@

$(WEB)/dist/index.html: $(WEB)/node_modules/.installed $(WEB_SOURCES)
	@echo "building the interface …"
	@. .ci/node && cd $(WEB) && npm run --silent build
	@touch $@
