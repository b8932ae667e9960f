// Allure 3 configuration of a run. Everything that differs from run to run stands in the JSON file that
// SEATRIAL_REPORT names: run, output, verdict (a path), environments ({NAME: {title, variables}}); of a nightly job
// history (a path) and nights.
import { readFileSync } from "node:fs";

const report = JSON.parse(readFileSync(process.env.SEATRIAL_REPORT, "utf8"));

// The one gate: it repeats verdict.json, the only authority, whatever results it is handed.
const verdict = {
  rule: "verdict",
  message: ({ actual }) => actual,
  successMessage: ({ actual }) => actual,
  validate: async ({ trs }) => {
    const { exit, endpoints } = JSON.parse(readFileSync(report.verdict, "utf8"));
    const words = Object.entries(endpoints).map(([name, endpoint]) => `${name}: ${endpoint.verdict}`);
    const against = trs.filter(({ labels }) =>
      labels.some(({ name, value }) => name === "outcome" && ["FAIL", "SILENT_STOP"].includes(value)),
    );
    return {
      success: exit === 0,
      actual: words.join(", ") || "no endpoint was judged",
      testResults: against.map(({ id }) => id),
    };
  },
};

const isOutcome = (word) => ({ labels }) => labels.some(({ name, value }) => name === "outcome" && value === word);
const startsWith = (word) => (data) => (data.message ?? "").startsWith(`${word}:`);

export default {
  name: report.title,
  output: report.output,
  ...(report.history ? { historyPath: report.history, historyLimit: report.nights } : {}),
  variables: report.variables,
  environments: Object.fromEntries(
    Object.entries(report.environments).map(([id, { name, title, variables }]) => [
      id,
      {
        name: title,
        variables,
        matcher: ({ labels }) => labels.some((label) => label.name === "endpoint" && label.value === name),
      },
    ]),
  ),
  categories: [
    { name: "Silent stops", matchers: startsWith("SILENT_STOP"), groupBy: [{ label: "feature" }], groupByMessage: true, expand: true },
    { name: "API deviations", matchers: startsWith("API_DEVIATION"), groupBy: ["severity"], groupByMessage: true, expand: true },
    { name: "Misbehaviour of the model", matchers: startsWith("MISBEHAVIOUR"), groupByMessage: true },
    { name: "Soak failures", matchers: startsWith("SOAK_FAILURE"), groupByMessage: true },
    { name: "Waived", matchers: isOutcome("WAIVED"), groupByMessage: true },
    { name: "Inconclusive", matchers: isOutcome("INCONCLUSIVE"), groupByMessage: true },
    { name: "Not executed", matchers: isOutcome("NOT_EXECUTED") },
    { name: "Advisory", matchers: isOutcome("ADVISORY"), groupByMessage: true },
    { name: "Unsupported", matchers: isOutcome("UNSUPPORTED"), groupByMessage: true },
  ],
  // The page says these already, as its path, its badge and its parameters.
  hideLabels: ["framework", "endpoint", "outcome", "severity", "epic", "feature", "story"],
  qualityGate: { use: [verdict], rules: [{ verdict: "READY" }] },
  plugins: {
    awesome: {
      options: {
        reportName: report.title,
        singleFile: true,
        reportLanguage: "en",
        theme: "auto",
        groupBy: ["epic", "feature", "story"],
      },
    },
  },
};
