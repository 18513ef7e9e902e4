// Who is logged in on this page. Without users, the brain is open and everybody is nobody.
import { api, ApiError, type Session } from './api.ts';
import { askLogin } from './panels/login.ts';

let current: Session | null = null;
let asking: Promise<void> | null = null;

// Empty if nobody is: the brain has no users, or lets strangers look.
export function userName(): string {
  return current?.user ?? '';
}

export function userDepartment(): string {
  return current?.department ?? '';
}

function take(session: Session): void {
  current = session;
  // Buttons that would only be refused are not shown (panels.css).
  document.body.dataset['alerts'] = session.rights.alerts;
}

async function check(on_changed: () => void): Promise<void> {
  try {
    take(await api.whoami());
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 401) return; // no answer: the next attempt will tell
    take(await askLogin());
  }
  on_changed();
}

// Asks the server who this is, and the person to log in if it must be. One question at a time.
export function ensureSession(on_changed: () => void): Promise<void> {
  asking ??= check(on_changed).finally(() => {
    asking = null;
  });
  return asking;
}

export async function logOut(): Promise<void> {
  await api.logout();
  location.reload();
}
