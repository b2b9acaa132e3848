// Makes IAM decisions again with a simulator that is not ours: lines of JSON in, differences out.
import { createReadStream } from "node:fs"
import { createInterface } from "node:readline"
import { runSimulation } from "@cloud-copilot/iam-simulate"

const named = (policies) => (policies ?? []).map((policy, n) => ({ name: `policy-${n}`, policy }))
const levels = (scps) =>
  scps.map((policies, n) => ({ orgIdentifier: `level-${n}`, policies: named(policies) }))
const single = (context) =>
  Object.fromEntries(
    Object.entries(context).map(([key, values]) => [key, values.length === 1 ? values[0] : values]),
  )

function simulation(decision) {
  const [, , , , owner] = decision.resource.split(":")
  return {
    request: {
      principal: decision.principal,
      action: decision.action,
      resource: {
        resource: decision.resource,
        accountId: /^\d{12}$/.test(owner ?? "") ? owner : decision.account,
      },
      contextVariables: single(decision.context),
    },
    identityPolicies: named(decision.identity),
    sessionPolicy: decision.session ?? undefined,
    permissionBoundaryPolicies: decision.boundary ? named(decision.boundary) : undefined,
    serviceControlPolicies: levels(decision.scps),
    resourceControlPolicies: [],
    resourcePolicy: decision.resourcePolicy ?? undefined,
  }
}

let agreed = 0
for await (const line of createInterface({ input: createReadStream(process.argv[2]) })) {
  const decision = JSON.parse(line)
  const result = await runSimulation(simulation(decision), { simulationMode: "Strict" })
  const theirs =
    result.resultType === "error" ? JSON.stringify(result.errors) : result.overallResult
  const same = (theirs === "Allowed") === (decision.decision === "allowed")
  if (same && result.resultType !== "error") {
    agreed += 1
  } else {
    const { principal, action, resource, decision: ours } = decision
    console.log(JSON.stringify({ principal, action, resource, ours, theirs }))
  }
}
console.log(JSON.stringify({ agreed }))
