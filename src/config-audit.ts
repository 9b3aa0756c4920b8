/** The part of the configuration table that is about the audit log. */
import { integer } from './config-variables.ts';

export const auditVariables = {
  auditRetentionDays: integer({
    name: 'AUDIT_RETENTION_DAYS',
    fallback: '90',
    min: 0,
    max: 36_500,
    unit: 'days',
    sentence: 'How long the audit log keeps who changed what; 0 keeps it for ever.',
  }),
} as const;
