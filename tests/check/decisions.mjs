// Makes the sandbox's IAM decisions a second time, with a simulator that we did not write.
//
//     landfall-sandbox --decisions FILE …      (writes each different decision with its inputs)
//     node tests/check/decisions.mjs FILE
//
// Ends with 1 if one differs.

import { readFileSync } from 'node:fs'
import { runSimulation } from '@cloud-copilot/iam-simulate'

const accountOf = (arn) => (/^\d{12}$/.test(arn.split(':')[4] ?? '') ? arn.split(':')[4] : undefined)

const named = (policies) => policies.map((policy, number) => ({ name: `policy-${number}`, policy }))

function simulation(made) {
  return {
    request: {
      principal: made.principal,
      action: made.action,
      resource: { resource: made.resource, accountId: accountOf(made.resource) ?? made.account },
      contextVariables: Object.fromEntries(
        Object.entries(made.context).map(([key, values]) => [key, values.length === 1 ? values[0] : values]),
      ),
    },
    identityPolicies: named(made.identity),
    sessionPolicy: made.session ?? undefined,
    permissionBoundaryPolicies: made.boundary ? named(made.boundary) : undefined,
    serviceControlPolicies: made.scps.map((policies, level) => ({
      orgIdentifier: `level-${level}`,
      policies: named(policies),
    })),
    resourceControlPolicies: [],
    resourcePolicy: made.resourcePolicy ?? undefined,
  }
}

const lines = readFileSync(process.argv[2], 'utf8').split('\n').filter(Boolean)
const differences = []
for (const line of lines) {
  const made = JSON.parse(line)
  const answer = await runSimulation(simulation(made), {})
  const other = answer.resultType === 'error' ? `error: ${JSON.stringify(answer.errors)}` : answer.overallResult
  if ((other === 'Allowed') === (made.decision === 'allowed')) continue
  differences.push(`${made.principal} ${made.action} on ${made.resource}: ${made.decision}, but ${other}`)
}
console.log(`${lines.length} decisions, ${lines.length - differences.length} the same`)
for (const difference of differences) console.error(difference)
process.exit(differences.length > 0 || lines.length === 0 ? 1 : 0)
