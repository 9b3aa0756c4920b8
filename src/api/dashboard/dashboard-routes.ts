/** Every page and form of the dashboard, and the order in which a request meets what guards them. */
import { Router } from '@koa/router';
import type { RequestMiddleware, RequestState } from '../state.ts';
import type { DashboardDependencies } from './dependencies.ts';
import { formBody, ownForms } from './form-body.ts';
import type { DashboardForm } from './form.ts';
import { accentForm } from './forms/choose-accent.ts';
import { createSessionForm } from './forms/create-session.ts';
import { pairByCodeForm } from './forms/pair-by-code.ts';
import { revealSuperadminForm } from './forms/reveal-superadmin.ts';
import { outgoingForms } from './forms/outgoing.ts';
import { sendTextForm } from './forms/send-text.ts';
import { sessionSettingsForms } from './forms/session-settings.ts';
import { sessionActionForms } from './forms/session-actions.ts';
import { createTokenForm, revokeTokenForm } from './forms/tokens.ts';
import { saveWebhookForm } from './forms/save-webhook.ts';
import { webhookActionForm } from './forms/webhook-actions.ts';
import { servePage, type DashboardPage } from './page.ts';
import { auditPage } from './pages/audit.ts';
import { fleetPage } from './pages/fleet.ts';
import { newSessionPage } from './pages/new-session.ts';
import { facePath, sessionFace } from './pages/session-face.ts';
import { sessionMessagesPage } from './pages/session-messages.ts';
import { sessionPeoplePage } from './pages/session-people.ts';
import { sessionSettingsPage } from './pages/session-settings.ts';
import { sessionOverviewPage } from './pages/session-overview.ts';
import { sessionPhonePage } from './pages/session-phone.ts';
import { sessionProcessPage } from './pages/session-process.ts';
import { sessionWebhooksPage } from './pages/session-webhooks.ts';
import { sessionsPage } from './pages/sessions.ts';
import { settingsPage } from './pages/settings.ts';
import { errorPages, homeOfMost, requireBrowser, signInRoutes } from './sign-in.ts';

export function dashboardRoutes(dependencies: DashboardDependencies): Router<RequestState> {
  const router = new Router<RequestState>({ sensitive: true });
  router.use('/dashboard', errorPages(dependencies), dependencies.limits.callers());
  router.use(signInRoutes(dependencies).routes());
  const guard = requireBrowser(dependencies);
  router.get('/dashboard', guard, homeOfMost());
  for (const { path, serve } of servedPages(dependencies)) router.get(path, guard, serve);
  router.get(facePath, guard, sessionFace(dependencies));
  for (const form of forms(dependencies)) {
    router.post(form.path, guard, formBody(form.bodyBytes), ownForms(dependencies.login), form.submit);
  }
  return router;
}

interface ServedPage {
  readonly path: string;
  /** Names of what can be asked for alone with `?part=`. */
  readonly parts: readonly string[];
  readonly serve: RequestMiddleware;
}

/** All pages, in the order in which their paths are compared. */
export function servedPages(dependencies: DashboardDependencies): readonly ServedPage[] {
  const page = <Model extends object>(each: DashboardPage<Model>): ServedPage => ({
    path: each.path,
    parts: Object.keys(each.parts),
    serve: servePage(each, dependencies),
  });
  return [
    page(fleetPage(dependencies)),
    page(sessionsPage(dependencies)),
    // Before the page of a session of that name.
    page(newSessionPage(dependencies)),
    page(sessionOverviewPage(dependencies)),
    page(sessionProcessPage(dependencies)),
    page(settingsPage(dependencies)),
    page(auditPage(dependencies)),
    page(sessionPhonePage(dependencies)),
    page(sessionMessagesPage(dependencies)),
    page(sessionPeoplePage(dependencies)),
    page(sessionSettingsPage(dependencies)),
    page(sessionWebhooksPage(dependencies)),
  ];
}

function forms(dependencies: DashboardDependencies): readonly DashboardForm[] {
  return [
    createSessionForm(dependencies),
    ...sessionActionForms(dependencies),
    pairByCodeForm(dependencies),
    sendTextForm(dependencies),
    ...outgoingForms(dependencies),
    ...sessionSettingsForms(dependencies),
    saveWebhookForm(dependencies),
    webhookActionForm(dependencies),
    accentForm(),
    createTokenForm(dependencies),
    revokeTokenForm(dependencies),
    revealSuperadminForm(dependencies),
  ];
}
