// A dialog over the page: it has a heading, and Esc or a click beside it closes it.
import type { ReactNode } from "react";
import { Dialog, Heading, Modal, ModalOverlay } from "react-aria-components";

interface WindowProps {
  title: ReactNode;
  /** As wide as the page lets it be. */
  wide?: boolean;
  close: () => void;
  children: ReactNode;
}

export function Window({ title, wide, close, children }: WindowProps) {
  return (
    <ModalOverlay
      className="overlay"
      isOpen
      onOpenChange={(open) => !open && close()}
      isDismissable
    >
      <Modal className={wide ? "modal wide" : "modal"}>
        <Dialog>
          <Heading slot="title">{title}</Heading>
          {children}
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}
