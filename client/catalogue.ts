export { runbookCatalogue } from '../workflows/runbook-catalogue.js';
