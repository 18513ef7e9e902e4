// The login view: covers the page until the server knows who is there.
import { api, ApiError, describeError, type Session } from '../api.ts';
import { el, nameButton, setText } from '../dom.ts';
import { lang, text } from '../i18n.ts';
import { settings } from '../settings.ts';
import { applyLang } from './header.ts';

function describe(error: unknown): string {
  if (error instanceof ApiError && error.status === 401) return text('login_wrong');
  if (error instanceof ApiError && error.status === 429) return text('login_wait');
  return describeError(error);
}

export function askLogin(): Promise<Session> {
  return new Promise((resolve) => {
    const title = el('h2', { id: 'login-title' });
    const user_name = el('span');
    const user = el('input', { name: 'user', type: 'text', autocomplete: 'username', maxlength: 64, required: true, autofocus: true, 'data-testid': 'login-user' });
    const password_name = el('span');
    const password = el('input', { name: 'password', type: 'password', autocomplete: 'current-password', maxlength: 1024, required: true, 'data-testid': 'login-password' });
    const problem = el('p', { class: 'login-problem', role: 'alert', 'data-testid': 'login-problem' });
    const submit = el('button', { class: 'button primary', 'data-testid': 'login-submit' });
    const language = el('button', { type: 'button', class: 'button quiet', onclick: () => switchLanguage() });
    const form = el(
      'form',
      {},
      el('h1', { class: 'brand' }, el('img', { src: '/favicon.svg', alt: '', width: 26, height: 26 }), el('b', {}, 'Ficus')),
      title,
      el('label', {}, user_name, user),
      el('label', {}, password_name, password),
      problem,
      el('div', { class: 'dialog-buttons' }, language, submit),
    );
    const view = el('dialog', { class: 'login', 'aria-labelledby': 'login-title', 'data-testid': 'login' }, form);

    const write = () => {
      setText(title, text('login_title'));
      setText(user_name, text('login_user'));
      setText(password_name, text('login_password'));
      setText(submit, text('login'));
      setText(language, text('switch_language_short'));
      nameButton(language, text('switch_language'));
    };
    const switchLanguage = () => {
      settings.lang = lang() === 'zh' ? 'en' : 'zh';
      applyLang();
      setText(problem, '');
      write();
    };
    const tryLogin = async () => {
      submit.disabled = true;
      setText(problem, '');
      try {
        const session = await api.login(user.value.trim(), password.value);
        view.remove();
        resolve(session);
      } catch (error) {
        setText(problem, describe(error));
        password.value = '';
        password.focus();
      } finally {
        submit.disabled = false;
      }
    };
    // Escape closes a dialog; there is nothing behind this one.
    view.addEventListener('cancel', (event) => event.preventDefault());
    view.addEventListener('close', () => {
      if (view.isConnected) view.showModal();
    });
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      void tryLogin();
    });
    write();
    document.body.append(view);
    view.showModal();
  });
}
