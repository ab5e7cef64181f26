#!/bin/sh
# A build tool in shell: publish by curl, ask and start by the command line, and read its JSON by jq.
#
#     examples/clients/build_tool.sh http://127.0.0.1:8000
#
# With BUILDATLAS_TOKEN both show that token, which needs the scopes `write` and `build`.
set -eu
address=${1:?give the address of a server, such as http://127.0.0.1:8000}

publish='mutation ($input: PublishVersionInput!) { publishVersion(input: $input) { created cursor } }'
answer=$(jq -n --arg query "$publish" '{$query, variables: {input: {package: "shop", version: "1.2.0",
    dependencies: [{package: "cart", constraint: "^2.0"}]}}}' |
    curl -sS "$address/graphql" -H 'content-type: application/json' \
        ${BUILDATLAS_TOKEN:+-H "authorization: Bearer $BUILDATLAS_TOKEN"} -d @-)
# curl ends with 0 also when the answer holds errors.
echo "$answer" | jq -e -r 'if .errors then (.errors[].message | halt_error(3)) else .data.publishVersion.created end'

buildatlas resolve shop --url "$address" --json | jq -r '.pins[] | "\(.package) \(.version)"'

# 1 is an answer: there is none.
buildatlas resolve 'shop>=2' --url "$address" --json >conflict.json || test $? = 1
jq -r .message conflict.json

run=$(buildatlas run shop --url "$address" --json | jq -r .run.id)
buildatlas builds --run "$run" --url "$address" --json |
    jq -r '.nodes[] | "\(.packageVersion.package.name) \(.packageVersion.version): \(.status)"'
