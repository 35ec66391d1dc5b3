#!/bin/sh
# The whole chain: text, five trainings, all versions, the log. Usage: run.sh [FOLDER OF PROGRAMS]
# A training that is finished is not repeated, and one that was stopped continues.
set -e
bin=${1:+$(cd "$1" && pwd)/}
cd "$(dirname "$0")"
"${bin}python" data.py
base=pretrain
test -f data/wiki.jsonl || base=pretrain-chat
for recipe in "$base" sft dpo dpo-high-rate lora; do
    "${bin}ethogram" train "recipes/$recipe.yaml"
done
"${bin}ethogram" run --log
"${bin}ethogram" compare v2.2.0 v2.3.0 --metric answer_first --details
# The notes were written about one run; another machine trains for more or fewer steps.
"${bin}ethogram" verify ||
    echo "This run differs from the notes as said above: edit versions/*.yaml, then: ethogram log"
